"""How Vertex AI writes an answer: completions, chunks, usage, signatures."""
