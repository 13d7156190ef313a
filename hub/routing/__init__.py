"""Routing: directory, access rules, the pure pipeline, and the processes that run it."""
