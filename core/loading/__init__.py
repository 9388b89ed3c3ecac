"""Writing to the warehouse: target tables, staging, applying in place, and the ledger, in one transaction."""
