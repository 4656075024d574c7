"""How do I let the model listen to a recording?

`python examples/audio.py` makes a WAV of three beeps and asks, in LangChain and in LlamaIndex, what is in it.
With `--live`, Vertex AI answers.
"""

import array
import base64
import io
import math
import wave

from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import AudioBlock, TextBlock
from llama_index.core.llms import ChatMessage
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
QUESTION = "How many beeps are in this recording?"
RATE = 16_000


def record_beeps(count: int) -> bytes:
    """Return a mono WAV: `count` beeps of 440 Hz, 0.2 s each, with 0.2 s of silence after each."""
    length = RATE // 5
    beep = [int(12_000 * math.sin(2 * math.pi * 440 * place / RATE)) for place in range(length)]
    recording = io.BytesIO()
    with wave.open(recording, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(array.array("h", (beep + [0] * length) * count).tobytes())
    return recording.getvalue()


def run() -> None:
    sound = record_beeps(3)
    block = {"type": "audio", "base64": base64.b64encode(sound).decode(), "mime_type": "audio/wav"}
    message = HumanMessage([{"type": "text", "text": QUESTION}, block])
    print("LangChain:", ChatVertexCompat(model=MODEL).invoke([message]).text)

    blocks = [TextBlock(text=QUESTION), AudioBlock(audio=sound, format="wav")]
    print("LlamaIndex:", VertexCompat(model=MODEL).chat([ChatMessage(blocks=blocks)]).message.content)


if __name__ == "__main__":
    start(run)
