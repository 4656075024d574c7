"""A server on this machine that takes what other providers' clients send, and answers each in its own form."""

import http.server
import json
import string
import threading
from typing import Any

_ANSWERS = {
    "/chat/completions": {
        "id": "c",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Sunny."}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    },
    "/messages": {
        "id": "c",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Sunny."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    ":generateContent": {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Sunny."}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    },
}
"""What a path ends with → the answer there: OpenAI's, Anthropic's, Gemini's."""


def _vectors(body: dict[str, Any]) -> dict[str, Any]:
    """An answer in the form of OpenAI's Embeddings: for each text its letters, counted."""
    counts = [[float(text.lower().count(letter)) for letter in string.ascii_lowercase] for text in body["input"]]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(counts)]
    usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


class OtherServices:
    """The server, while it is entered; `bodies` are what was sent to it."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        bodies = self.bodies

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """What a model can do, which LlamaIndex's GoogleGenAI asks for when it is made."""
                self._answer({"name": "models/gemini-3.5-flash", "inputTokenLimit": 9999, "outputTokenLimit": 99})

            def do_POST(self) -> None:
                bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                path = self.path.partition("?")[0]
                if path.endswith("/embeddings"):
                    self._answer(_vectors(bodies[-1]))
                    return
                answer = next((answer for ending, answer in _ANSWERS.items() if path.endswith(ending)), None)
                self._answer(answer)

            def _answer(self, answer: dict[str, Any] | None) -> None:
                told = json.dumps(answer or {}).encode()
                self.send_response(200 if answer else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "OtherServices":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
