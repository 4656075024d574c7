"""How a body travels: the SDK's clients, connections, deadlines. The only room that loads `openai`."""
