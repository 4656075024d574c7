# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[langchain,emulator]", "streamlit==1.67.0"]
# ///
"""A chat page that Streamlit reruns in another thread for each user message; its history stays complete."""

import os

from streamlit.testing.v1 import AppTest

from tests.consumers.stage import calls_sent, emulated, signatures_sent
from vertex_compat_integrations.emulator import text, tool_call

CITIES = ("Paris", "Oslo", "Rome")


def page() -> None:
    """The page's script; Streamlit takes its source, so that it imports what it needs."""
    import asyncio
    import os

    import streamlit as st
    from langchain_core.messages import HumanMessage, ToolMessage

    from vertex_compat_integrations.langchain import ChatVertexCompat

    @st.cache_resource
    def open_model():
        return ChatVertexCompat(
            model="google/gemini-3.5-flash", base_url=os.environ["PAGE_URL"], api_key=os.environ["PAGE_TOKEN"]
        )

    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"It rains in {city}."

    model = open_model().bind_tools([get_weather])
    history = st.session_state.setdefault("history", [])
    if question := st.chat_input("Ask"):
        history.append(HumanMessage(question))
        step = asyncio.run(model.ainvoke(history))  # each run has a loop of its own
        if step.tool_calls:
            history += [
                step,
                *(ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in step.tool_calls),
            ]
            whole = None
            for piece in model.stream(history):
                whole = piece if whole is None else whole + piece
            step = whole
        history.append(step)
        st.write(step.text)
        st.write(f"{step.usage_metadata['output_tokens']} tokens")


def main() -> None:
    rounds = [(tool_call("get_weather", {"city": city}), text(f"It rains in {city}.")) for city in CITIES]
    with emulated(*(answer for turn in rounds for answer in turn)) as emulator:
        os.environ |= {"PAGE_URL": emulator.base_url(), "PAGE_TOKEN": emulator.identity.issue()}
        app = AppTest.from_function(page, default_timeout=300).run()
        for city in CITIES:
            app.chat_input[0].set_value(f"What is the weather in {city}?").run()
            assert not app.exception, app.exception
            assert app.markdown[0].value == f"It rains in {city}."
            assert not app.markdown[1].value.startswith("0 ")
        last = emulator.journal.last
        assert [arguments for _, arguments in calls_sent(last)] == [f'{{"city":"{city}"}}' for city in CITIES]
        assert len(set(signatures_sent(last))) == len(CITIES)


if __name__ == "__main__":
    main()
