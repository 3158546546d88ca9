"""Before the real run: a word from each teacher, a few real requests, an estimate."""
