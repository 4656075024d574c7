"""The error finder is whole: each message that the package can raise or warn has a section with a cause and a fix."""

import re
from pathlib import Path

import pytest

from tests.site import generated
from tests.site.messages import messages
from tests.site.troubleshooting import TOPICS, google_table, message_list, topic_of
from vertex_compat_integrations import errors
from vertex_compat_integrations.core.http_errors import MEANINGS
from vertex_compat_integrations.langchain import ChatVertexCompat

PAGE = (Path(__file__).parents[2] / "docs/troubleshooting.md").read_text(encoding="utf-8")
SECTIONS = {
    mark: text
    for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    for mark in re.findall(r"^<!-- messages: (\S+) -->$", text, re.MULTILINE)
}
MESSAGES = messages()


def test_each_message_belongs_to_a_section_of_the_page():
    assert {message for message in MESSAGES if topic_of(message) not in SECTIONS} == set()


def test_each_section_has_messages_a_cause_and_a_fix():
    assert set(SECTIONS) == set(TOPICS) == {topic_of(message) for message in MESSAGES}
    for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        assert re.search(r"^\*\*Cause\.\*\* \S", text, re.MULTILINE), text[:80]
        assert re.search(r"^\*\*Fix\.\*\* \S", text, re.MULTILINE), text[:80]
        assert len(re.findall(r"^<!-- (?:messages|google): ", text, re.MULTILINE)) == 1, text[:80]


@pytest.mark.parametrize("topic", TOPICS)
def test_each_message_is_a_heading_with_its_class_and_a_fix(topic):
    entries = re.split(r"^##### ", message_list(topic), flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        words, raised, fix = re.fullmatch(
            r"(.+)\n\n\[(\w+)\]\(reference/errors\.md#\w+\)(?:: (.+))?\s*", entry
        ).groups()
        assert words
        assert raised in errors.__all__
        assert fix or raised == "VertexCompatWarning"


def test_every_meaning_of_googles_messages_is_on_the_page():
    codes = {code for mark in re.findall(r"^<!-- google: (\S+) -->$", PAGE, re.MULTILINE) for code in mark.split(",")}
    assert {str(meaning.code or "any") for meaning in MEANINGS} == codes
    rows = [row for code in codes for row in google_table(code).splitlines()[2:]]
    assert len(rows) == len(MEANINGS)


def test_every_exception_that_is_raised_with_words_is_on_the_list():
    named = {message.kind for message in MESSAGES}
    by_status = {kind for kind in errors.__all__ if issubclass(getattr(errors, kind), errors.ApiError)}
    bases = {"VertexCompatError", "PartialReplyError"}
    assert set(errors.__all__) - named - by_status - bases == {"StreamInterruptedError"} - named


def _as_pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, text.split("…"))), re.DOTALL)


@pytest.mark.parametrize(
    ("settings", "topic"),
    [
        ({"model": "google/gemini-3.5-flash", "base_url": "example.com"}, "destination"),
        ({"model": "google/gemini-3.5-flash", "request_type": ["shared", "shared"]}, "arguments"),
        ({"model": "google/gemini-3.5-flash", "thinking": True}, "arguments"),
        ({"model": "google/gemini-3.5-flash", "api_key": lambda: ""}, "credentials"),
        ({"model": "google/gemini-3.5-flash", "locations": ["us", "us"]}, "locations"),
        ({"model": "flash"}, "model-name"),
        ({"model": "google/gemini-3.5-flash", "tool_choice": "any"}, "tools"),
    ],
)
def test_a_message_that_is_raised_is_found_in_its_section(settings, topic):
    with pytest.raises(errors.SettingsError) as raised:
        ChatVertexCompat(project="p", **settings).explain_request("Hello")
    texts = [message.text for message in MESSAGES if topic_of(message) == topic]
    assert [text for text in texts if len(text) > 8 and _as_pattern(text).search(raised.value.message)]


def test_the_page_has_every_table():
    page = generated.fill(PAGE)
    assert "<!--" not in page
    assert "##### Unknown argument …=.\n\n[SettingsError](reference/errors.md#settingserror): " in page
    assert "provisioned throughput" in page
