"""The model that leaves a run: merge, export, serve, chat."""
