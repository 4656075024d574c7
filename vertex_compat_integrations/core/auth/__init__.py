"""Credentials: which principal sends a request, and where a token may go. Imports only the core's base modules."""
