"""Decoding of responses: bytes to events, chunks and completions to one `Reply`. No network, no SDK."""
