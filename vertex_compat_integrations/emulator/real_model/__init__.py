"""A real model behind the emulator, on this machine or on another server."""
