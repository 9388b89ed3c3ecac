"""Proving that tables of the warehouse equal their source: what was compared, how, and what differs."""
