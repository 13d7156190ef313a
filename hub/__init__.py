"""Liên thông Hub: signed XML envelopes between Vietnamese agencies, over RabbitMQ.

The package is a house of floors (see ``docs/architecture.md``): each may import only what stands
below it, and import-linter holds that in CI.
"""

__version__ = "0.1.0"
