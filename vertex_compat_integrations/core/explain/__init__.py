"""The result of `explain_request`: the request that would be sent, with remarks."""
