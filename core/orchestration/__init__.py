"""A run: which tables, in which order, by which plans, and what came of it."""
