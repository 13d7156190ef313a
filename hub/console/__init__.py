"""Operators' web pages and JSON API; empty until the console is built."""
