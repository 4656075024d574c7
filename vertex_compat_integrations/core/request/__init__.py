"""Building the body of a request, and checking it before anything is sent. No network, no SDK."""
