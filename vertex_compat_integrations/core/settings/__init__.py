"""What a user sets: the connection, and the options of a request. Imports `auth` and core's ground files."""
