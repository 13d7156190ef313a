"""Message types and their XSDs: compose, validate, receipts, examples and the edXML codec."""
