"""Ways to load a table, as pure functions from a table and its last state to a plan."""
