"""The rules by which Vertex AI refuses requests, each with its source."""
