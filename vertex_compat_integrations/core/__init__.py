"""What every part of the package stands on: Vertex AI's OpenAI-compatible endpoint, without any framework."""
