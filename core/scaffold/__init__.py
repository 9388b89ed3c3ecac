"""What `etlkit plugins new` writes: a plugin distribution to begin with, made from the templates in this folder."""
