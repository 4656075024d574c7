"""The command `emulate`."""
