"""Moving rows: the source renders them as sentinel bytes, the client turns those into COPY text."""
