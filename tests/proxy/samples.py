"""What several tests of the proxy say."""

MODEL = "google/gemini-3.5-flash"
NAME = "gpt-4o"
HELLO = [{"role": "user", "content": "Say swordfish."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
