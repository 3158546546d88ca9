"""The training mixture: replay, blend, decontamination."""
