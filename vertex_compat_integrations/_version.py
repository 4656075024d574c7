"""The version, where every file may read it."""

__version__ = "0.2.0"
