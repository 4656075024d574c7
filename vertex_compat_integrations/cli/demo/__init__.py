"""`vertex-compat demo`, in four parts.

`stage` sets up where it runs (emulator, local model, Vertex AI), `scenario` lists the acts, `proof` checks claims about
them against the emulator's journal, and `report` shows the results.
"""
