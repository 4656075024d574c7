"""What Vertex AI refuses, each rule with its source."""
