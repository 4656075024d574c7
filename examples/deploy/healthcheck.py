"""For Docker and Kubernetes: exits with 0 if the proxy accepts requests. `python healthcheck.py [PORT]`."""

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8080, timeout=2)
try:
    connection.request("GET", "/healthz")
    sys.exit(connection.getresponse().status != 200)
except OSError as error:
    sys.exit(f"The proxy does not answer: {error}.")
