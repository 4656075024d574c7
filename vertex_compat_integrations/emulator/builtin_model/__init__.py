"""The model that answers where nothing is scripted."""
