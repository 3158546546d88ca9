"""Everything that differs between languages: packs (data) and the functions that read their tables."""
