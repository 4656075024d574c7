"""The framework-independent base of the package: a client for Vertex AI's OpenAI-compatible endpoint."""
