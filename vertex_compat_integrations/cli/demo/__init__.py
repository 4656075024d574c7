"""`vertex-compat demo`, in four nouns.

The *stage* is where it runs, the *scenario* what is run, the *proof* what the journal says of it, and the *report* how
it is shown.
"""
