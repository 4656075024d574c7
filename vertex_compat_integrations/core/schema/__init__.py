"""JSON Schema to the subset that the endpoint accepts. Imports only the core's base modules."""
