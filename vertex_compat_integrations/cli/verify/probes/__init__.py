"""The questions: one request each, what is assumed of the answer, and which fact of the catalogue hangs on it."""
