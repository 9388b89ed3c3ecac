"""Judgements of how much a table matters."""
