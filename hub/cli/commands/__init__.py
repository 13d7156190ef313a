"""One module for each group of subcommands; ``hub.cli.main`` puts them together."""
