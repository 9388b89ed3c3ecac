"""Plugins that come with etlkit, registered by entry points like anybody's."""
