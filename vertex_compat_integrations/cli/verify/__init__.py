"""`vertex-compat verify`: probes undocumented behaviour of the endpoint, and writes a report."""
