"""Before the real run: one token from each teacher, a few real requests, an estimate."""
