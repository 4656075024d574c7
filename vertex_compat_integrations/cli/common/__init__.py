"""Shared by several commands: targets, printing, exit codes, child programs."""
