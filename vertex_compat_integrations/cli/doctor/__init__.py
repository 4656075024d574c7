"""`vertex-compat doctor`: checks everything between this process and a model's answer, and prints how to fix it."""
