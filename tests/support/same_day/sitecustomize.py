"""The day of the tests, by which models retire in the tests and in the Python programs that they start.

Facts age: a model that is served when a test is written is refused, and warned of, a year later; and no test shall fail
because days pass. Tokens, certificates and prices go by the machine's clock as ever.

`tests/conftest.py` puts this folder where Python finds it: at its start, Python imports a file of this name.
"""

import sys
import time
from datetime import date
from importlib.machinery import PathFinder

DAY = date(2026, 11, 28)
"""The day on which the catalogue was last checked. Whoever checks it again moves the day."""


def _fix_catalogue(facts):
    facts._today = lambda: DAY


def _fix_emulator(server):
    """An emulator with a clock of its own goes by that."""
    read = server.Emulator._today

    def today(emulator):
        day = read(emulator)
        return DAY if day and emulator._clock is time.time else day

    server.Emulator._today = today


FIXES = {
    "vertex_compat_integrations.core.catalogue.facts": _fix_catalogue,
    "vertex_compat_integrations.emulator.server": _fix_emulator,
}
"""The modules that read the date by which models retire."""


class _Finder:
    """Fixes each of the modules once it is loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if sys.meta_path[0] is not _Finder:  # pytest's own came before, which loads the modules of plugins
            sys.meta_path[:] = [_Finder, *(finder for finder in sys.meta_path if finder is not _Finder)]
        if name not in FIXES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            FIXES[name](module)

        spec.loader.exec_module = exec_module
        return spec


def fix_day():
    """Let this process live on the day."""
    for name, fix in FIXES.items():
        if name in sys.modules:
            fix(sys.modules[name])
    sys.meta_path.insert(0, _Finder)


if __name__ == "sitecustomize":
    fix_day()
