"""`vertex-compat doctor`: whether everything between this process and a model's answer is well, and what mends it."""
