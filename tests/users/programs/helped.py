"""Looks whether `help()` shows what each setting of a class means: `python helped.py MODULE CLASS`."""

import importlib
import pydoc
import sys

kind = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
shown = pydoc.plain(pydoc.render_doc(kind))
described = {name: field.description or "" for name, field in kind.model_fields.items()}
silent = [name for name, words in described.items() if not words or f"{name}: {words.splitlines()[0]}" not in shown]
print(f"{len(described)} settings")
if silent or len(described) < 50:
    sys.exit(f"help() says nothing of {silent}")
