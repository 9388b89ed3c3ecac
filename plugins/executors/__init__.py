"""Where the tables of a run are loaded."""
