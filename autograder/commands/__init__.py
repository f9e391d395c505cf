"""The command line: one file per subcommand, all of them in the table of `main.py`."""
