"""The ``hub`` command: its contract is docs/reference/cli.md."""
