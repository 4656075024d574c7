"""Google's native API next to the OpenAI-compatible one."""
