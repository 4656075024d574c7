"""Where the examples run: offline on an emulator, or on Vertex AI with `--live`.

Live, they ask as Application Default Credentials say, in the project that GOOGLE_CLOUD_PROJECT names. Nothing else in
an example knows where it runs.
"""

import os
import sys
import warnings
from collections.abc import Callable

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

_NOTICE = f"{EMULATOR_HOST_VARIABLE} is set"


def emulate() -> Emulator:
    """A running emulator, which this process and its children ask instead of Vertex AI."""
    emulator = Emulator().start()
    os.environ[EMULATOR_HOST_VARIABLE] = emulator.host
    # The library warns that it was sent to an emulator, which nobody should have to wonder about here.
    os.environ["PYTHONWARNINGS"] = f"ignore:{_NOTICE}"
    warnings.filterwarnings("ignore", message=_NOTICE)
    return emulator


def start(run: Callable[[], None]) -> None:
    """Run an example where its command line says."""
    if "--live" in sys.argv:
        run()
        return
    with emulate():
        run()
