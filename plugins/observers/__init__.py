"""Who is told of runs."""
