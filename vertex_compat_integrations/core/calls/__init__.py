"""One call with its attempts: where it goes, when it is retried, what it returns. No network."""
