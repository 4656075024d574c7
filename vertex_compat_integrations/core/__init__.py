"""What is known of Vertex AI's OpenAI-compatible endpoint, and of no framework."""
