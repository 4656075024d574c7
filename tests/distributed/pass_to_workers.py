"""A program that passes a model which has answered to the workers of an example, and keeps what they say.

`python pass_to_workers.py EXAMPLE SETTINGS`, the settings as JSON: `kind` (the class), `base_url`, `allow_host`,
`key_file` (a service account's, given as `credentials=`; without it, every process looks for Application Default
Credentials), `count` questions, `output`. Whoever runs it names the folder of examples in PYTHONPATH.
"""

import importlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from google.oauth2.service_account import Credentials
from langchain_core.language_models import BaseChatModel

from vertex_compat_integrations.batch import KeptRows

MODEL = "google/gemini-3.5-flash"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AT_A_TIME = 8
FIRST_QUESTION = "Are you warm?"


def question(number: int) -> dict[str, str]:
    return {"custom_id": f"q{number}", "prompt": f"Question {number}?"}


def build(settings: dict[str, Any]) -> Any:
    """A model that holds a token and a connection, since it has answered."""
    given: dict[str, Any] = {"base_url": settings["base_url"], "allow_hosts": [settings["allow_host"]]}
    if settings["key_file"]:
        given["credentials"] = Credentials.from_service_account_file(settings["key_file"], scopes=[SCOPE])
    if settings["kind"] == "langchain":
        from vertex_compat_integrations.langchain import ChatVertexCompat

        model: Any = ChatVertexCompat(model=MODEL, **given)
    else:
        from vertex_compat_integrations.llama_index import VertexCompat

        model = VertexCompat(model=MODEL, **given)
    text_of(model, FIRST_QUESTION)
    return model


def text_of(model: Any, prompt: str) -> str:
    return model.invoke(prompt).text if isinstance(model, BaseChatModel) else model.complete(prompt).text


def ask_row(model: Any, row: dict[str, str]) -> dict[str, Any]:
    text = text_of(model, row["prompt"])
    return {"custom_id": row["custom_id"], "text": text, "error": None, "worker": os.getpid()}


def ask_rows(model: Any, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        return list(threads.map(partial(ask_row, model), rows))


def main() -> None:
    name, settings = sys.argv[1], json.loads(sys.argv[2])
    example = importlib.import_module(name)
    ask = ask_row if name == "dask_futures" else ask_rows
    with KeptRows(settings["output"]) as kept:
        missing = list(kept.missing(map(question, range(settings["count"]))))
        for row in example.answer_all(build(settings), missing, ask):
            kept.append(row)


if __name__ == "__main__":
    main()
