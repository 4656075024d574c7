"""Runs a program as it stands, with the emulator where Vertex AI would be: `python offline.py PROGRAM`."""

import os
import runpy
import sys

from vertex_compat_integrations.emulator import Emulator

with Emulator() as emulator:
    os.environ |= {"VERTEX_COMPAT_EMULATOR_HOST": emulator.host, "GOOGLE_CLOUD_PROJECT": "p"}
    runpy.run_path(sys.argv[1], run_name="__main__")
    if not emulator.journal.chat:
        sys.exit("Nothing was asked.")
