"""JSON Schema to the subset that the endpoint takes. Imports core's ground files only."""
