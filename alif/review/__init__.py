"""Reading by people: what goes out for verdicts and what comes back."""
