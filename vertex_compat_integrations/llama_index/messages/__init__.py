"""Converts LlamaIndex messages to the wire format and back. Imports core only."""
