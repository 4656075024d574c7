"""An app of FastAPI that had ChatOpenAI: one line is another, and its handler of the SDK's error is as it was."""

import os

import openai
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from vertex_compat_integrations.emulator import Emulator, http_error, text
from vertex_compat_integrations.langchain import ChatVertexCompat

app = FastAPI()
model = ChatVertexCompat(model="google/gemini-3.5-flash", max_retries=0)


@app.exception_handler(openai.RateLimitError)
async def busy(_: Request, error: openai.RateLimitError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, error.status_code)


@app.get("/ask")
async def ask(question: str) -> str:
    return (await model.ainvoke(question)).text


with Emulator() as emulator, TestClient(app) as client:
    os.environ["VERTEX_COMPAT_EMULATOR_HOST"] = emulator.host
    emulator.answer(text("It rains."), http_error(429))
    answers = [client.get("/ask", params={"question": "What is the weather?"}) for _ in range(2)]
    print([(answer.status_code, answer.json()) for answer in answers])
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].json() == "It rains."
