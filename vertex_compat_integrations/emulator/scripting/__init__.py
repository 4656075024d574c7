"""Scripted answers for tests: answers, faults, and their order."""
