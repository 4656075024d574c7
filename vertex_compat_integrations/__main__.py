"""`python -m vertex_compat_integrations` is the command `vertex-compat`."""

from vertex_compat_integrations.cli import main

main()
