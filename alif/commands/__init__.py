"""The commands, a file for each group: a function is a command, its docstring is the help."""
