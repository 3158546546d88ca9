"""Stage-1 text: cleaning and deduplication."""
