"""Connector for a one-stop software behind a SQL database, by one mapping file."""
