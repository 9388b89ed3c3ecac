"""The hop before the warehouse: an exact copy of the source on a MySQL or MariaDB server of the practice's own."""
