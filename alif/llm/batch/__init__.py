"""Batch APIs: many requests at once, cheaper and slower."""
