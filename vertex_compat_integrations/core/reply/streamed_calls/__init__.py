"""The calls of one streamed answer, told in pieces by servers that each have their own way of it."""
