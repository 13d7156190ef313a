"""Adapters: what every connector of one kind of partner needs, and the runner that carries it.

Adapters meet the router only in signed bytes on queues; neither imports the other.
"""
