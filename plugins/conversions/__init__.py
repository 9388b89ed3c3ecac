"""Changes of a column's value and type that the source computes."""
