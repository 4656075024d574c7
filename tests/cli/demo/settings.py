"""How the demo is played in tests: with tokens that die within it."""

MODEL = "google/gemini-3.5-flash"
TOKEN_LIFE_SECONDS = 0.5
