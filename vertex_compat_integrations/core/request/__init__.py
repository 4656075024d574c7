"""What is sent: the body of a request, built and checked before anything goes out. No network, no SDK."""
