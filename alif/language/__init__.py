"""Everything that is different in another language: packs (data) and the few functions that read their tables."""
