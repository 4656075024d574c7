"""The HTTP library of the installed SDK: httpx for version 2, httpx2 for version 3, with the same names."""

import importlib
from typing import Any

import openai

LIBRARY: Any = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
"""The module of the library."""
