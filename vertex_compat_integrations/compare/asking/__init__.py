"""Calls the models of a comparison, and measures each answer."""
