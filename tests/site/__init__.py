"""The documentation's site: what builds it, and tests of what was built."""
