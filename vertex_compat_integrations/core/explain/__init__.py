"""What `explain_request` returns: the request that would be sent, with remarks."""
