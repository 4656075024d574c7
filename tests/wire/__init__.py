"""Bodies on the wire, and what both frameworks make of each."""
