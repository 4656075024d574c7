"""The user's settings: the connection, and the options of a request. Imports `auth` and the core's base modules."""
