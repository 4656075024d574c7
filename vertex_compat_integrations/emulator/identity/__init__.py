"""The identity services, which issue tokens as Google does."""
