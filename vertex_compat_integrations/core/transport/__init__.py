"""Sending requests: the SDK's clients, connections, deadlines. The only folder that loads `openai`."""
