"""The probes: each is a request with an assumption about the answer, and the catalogue fact that depends on it."""
