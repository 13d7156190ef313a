"""The store: evidence, verdicts, dedupe, deliveries, receipts, directory, trust and the log.

The only package of the hub that knows SQL. Its rows are plain data (``hub.store.rows``).
"""
