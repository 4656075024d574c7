"""Google's native API, next to the chat completions: counting of tokens."""
