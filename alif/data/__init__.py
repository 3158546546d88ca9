"""Rows: synthesis, translation, filters, corpus and mixture."""
