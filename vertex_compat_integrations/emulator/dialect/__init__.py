"""Vertex AI's form of answers: completions, chunks, usage, signatures."""
