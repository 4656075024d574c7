"""`vertex-compat demo`, in four parts.

`stage` is where it runs (emulator, local model, Vertex AI), `scenario` which acts are run, `proof` checks claims about
them against the emulator's journal, and `report` shows them.
"""
