"""Code shared by the classes of both frameworks: names of arguments, model specifications, clients, checks, pickles."""
