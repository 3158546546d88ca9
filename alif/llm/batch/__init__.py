"""Many requests at once through a provider's batch API."""
