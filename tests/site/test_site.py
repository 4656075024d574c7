"""The built site: strict, whole, nothing from elsewhere, and a stranger's questions within two clicks."""

import json
import re
from urllib.parse import urlsplit

import pytest

QUESTIONS = {
    "install langchain": ("start/install/", 'pip install "vertex-compat-integrations[langchain]"'),
    "catch rate limit": ("reference/errors/", "except RateLimitError as error:"),
    "RAG without Google embeddings": ("how-to/rag-without-google-embeddings/", "embed_model="),
    "run in Kubernetes": ("how-to/docker-and-kubernetes/", "Kubernetes"),
    "what changed between versions": ("project/changelog/", "0.2.0"),
    "API key": ("start/questions/", "gcloud auth application-default login"),
    "Claude on Vertex": ("start/questions/", "ChatAnthropicVertex"),
    "data residency": ("start/questions/", "European Union"),
    "use service account json": ("how-to/credentials-in-the-cloud/", "GOOGLE_APPLICATION_CREDENTIALS"),
    "429 resource exhausted": ("troubleshooting/", "RateLimitError"),
    "timeouts": ("explanation/retries/", "gap_timeout"),
    "JSON mode": ("how-to/structured-output/", "json_mode"),
    "safety settings": ("how-to/safety-settings/", "BLOCK_ONLY_HIGH"),
    "LangGraph Studio": ("how-to/deploy-an-agent/", "langgraph dev"),
    "migrating from ChatVertexAI": ("reference/migration/", "max_output_tokens"),
}
"""What is asked in the search box → the page, and what its answer contains."""
_VISIBLE = ("tabs", "content")


def test_the_build_has_no_warnings(built):
    assert built[1] == ""


@pytest.mark.parametrize(("url", "answer"), QUESTIONS.values(), ids=QUESTIONS)
def test_the_answer_is_within_two_clicks_of_the_front_page(site, url, answer):
    first = {"", *site.next_pages("", _VISIBLE)}
    # The second page shows its section's list of pages, too.
    second = {each for page in first for each in site.next_pages(page, (*_VISIBLE, "sidebar"))}
    assert url in first | second
    assert answer in site.pages[url].text


@pytest.mark.parametrize(("question", "page"), [(words, url) for words, (url, _) in QUESTIONS.items()])
def test_the_answers_page_has_the_questions_words_for_the_search(site, question, page):
    texts = [f"{entry['title']} {entry['text']}" for entry in site.search_entries if entry["location"].startswith(page)]
    text = " ".join(texts).lower()
    little = {"in", "without", "between", "what", "run"}
    assert [word for word in question.lower().split() if word not in little and word[:6] not in text] == []


def test_nothing_is_loaded_from_another_host(site):
    loaded = {(url, each) for url, page in site.pages.items() for each in page.loaded if urlsplit(each).netloc}
    assert loaded == set()
    for path in site.folder.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"(?:@import\s+|url\()['\"]?(?:https?:)?//[^)'\"]+", text) == [], path


def test_every_internal_link_and_anchor_leads_somewhere(site):
    broken = []
    for url, page in site.pages.items():
        if url == "404.html":
            continue
        for link, _ in page.links:
            target = site.target(url, link)
            if target is None:
                continue
            there, anchor = target
            if there not in site.pages:
                if not (site.folder / there).is_file():
                    broken.append((url, link))
            elif anchor and anchor not in site.pages[there].anchors:
                broken.append((url, link))
    assert broken == []


def test_every_page_is_in_the_search_index(site):
    located = {entry["location"].partition("#")[0] for entry in site.search_entries}
    assert set(site.pages) - located - {"404.html"} == set()


def test_every_page_begins_with_one_heading_and_says_something(site):
    short = {url: page.text for url, page in site.pages.items() if url != "404.html" and len(page.text.split()) < 40}
    assert short == {}


def test_marks_are_filled_on_every_page(site):
    for path in site.folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"<!-- (?:include|settings|error|messages|google): ", text) == [], path
        assert "```" not in re.sub(r"<pre.*?</pre>|<code.*?</code>", "", text, flags=re.DOTALL), path


def test_the_index_is_json_that_a_browser_can_read(site):
    text = (site.folder / "search/search_index.json").read_text(encoding="utf-8")
    assert json.loads(text)["docs"]
