"""What is posted shows no password, and loads no SDK."""

import subprocess
import sys

from vertex_compat_integrations.core.transport.post import Route


def test_a_route_does_not_show_its_proxys_password():
    route = Route("https://aiplatform.googleapis.com", proxy="http://user:secret@proxy:3128")
    assert "secret" not in repr(route)
    assert route == Route("https://aiplatform.googleapis.com", proxy="http://user:secret@proxy:3128")


def test_the_values_load_no_sdk():
    code = "import sys, vertex_compat_integrations.core.transport.post; print('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
