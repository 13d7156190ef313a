"""Shipped aids for tests, the demo and connector authors; no production module imports them."""
