"""What is known of Open Dental's schema, which declares no foreign keys and leaves copies of tables behind."""
