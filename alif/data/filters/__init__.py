"""Checks of every row that a model wrote."""
