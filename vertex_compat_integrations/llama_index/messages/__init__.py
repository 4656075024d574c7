"""LlamaIndex messages to the wire and back. Imports core only."""
