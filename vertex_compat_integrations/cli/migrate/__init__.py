"""The command `migrate`."""
