"""Tool calls that a server left in an answer's text: where they begin, how they are read, and when they are ignored."""
