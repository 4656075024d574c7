"""Credentials: as whom a request is sent, and where a token may go. Imports core's ground files only."""
