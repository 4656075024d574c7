"""No secret comes through, wherever it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertex_compat_integrations.cli.verify.redaction import LONGEST, Redactor

PLANTED = {
    "project": "acme-prod-12",
    "Google token": "ya29.a0AfB_byC-dEf.12~x",
    "JWT": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl",
    "refresh token": "1//0gXyZabcdefghijk-_123",
    "API key": "AIzaSyA12345678901234567890123456789012",
    "OpenAI key": "sk-proj-abcdefghijklmnop",
    "client secret": "GOCSPX-abc_DEF-123",
    "e-mail": "jane.doe+x@example.co.uk",
    "service account": "bot@other-project.iam.gserviceaccount.com",
    "UUID": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
    "project number": "123456789012",
    "IPv4": "203.0.113.77",
    "IPv6": "2001:db8:85a3:0:0:8a2e:370:7334",
    "home": "/home/jane/.config/gcloud/application_default_credentials.json",
    "mac": "/Users/jane/key.json",
    "windows": "C:\\Users\\jane\\key.json",
    "share": "\\\\fileserver\\jane\\key.json",
    "file URL": "file:///home/jane/key.json",
    "key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
    "signature": "c2lnbmF0dXJl/" * 12,
}
KNOWN_TO_THE_RUN = ("acme-prod-12",)
HIDDEN_PARTS = {
    "service account": "other-project",
    "home": "jane",
    "mac": "jane",
    "windows": "jane",
    "share": "jane",
    "file URL": "jane",
    "key": "MIIE",
}
AROUND = st.text(alphabet=st.sampled_from(" .,;:()[]{}<>|\"'`\n=?!"), max_size=6)


def _redactor() -> Redactor:
    return Redactor(KNOWN_TO_THE_RUN)


def _assert_hidden(text: str, kind: str) -> None:
    assert HIDDEN_PARTS.get(kind, PLANTED[kind]) not in text


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_gone_from_each_place(kind):
    secret = PLANTED[kind]
    body = {
        "error": {"message": f"Denied: {secret}.", "details": [{"metadata": {"consumer": secret, "x": secret}}]},
        "list": [secret, [f"({secret})", {"deep": f"a {secret} b"}]],
        f"see {secret}": 1,
        "nested": json.dumps({"again": f" {secret} "}) if "\\" not in secret and "\n" not in secret else secret,
    }
    _assert_hidden(json.dumps(_redactor().clean(body), ensure_ascii=False), kind)


@given(before=AROUND, after=AROUND, kind=st.sampled_from(sorted(PLANTED)))
def test_a_secret_is_gone_whatever_stands_round_it(before, after, kind):
    _assert_hidden(
        _redactor().text(f"for{before}{PLANTED[kind]}{after}no" if before and after else f" {PLANTED[kind]} "), kind
    )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(max_value=1000) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON_VALUES, secret=st.from_regex(r"[a-z][a-z0-9-]{6,28}[a-z0-9]", fullmatch=True))
def test_a_secret_that_the_run_knows_is_gone_from_any_value(value, secret):
    planted = {"value": value, "text": f"x{secret}y", secret.upper(): [secret, {"a": {secret: secret}}]}
    assert secret not in json.dumps(Redactor([secret]).clean(planted)).lower()


def test_what_is_no_secret_stays():
    kept = {
        "created": 1764300000,
        "model": "google/gemini-3.8-flash",
        "message": "`projects/x/locations/us-central1/publishers/google/models/gemini-3-flash-preview` was not found. "
        "Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures",
        "kind": "text/plain; 'high', 'low'; #/$defs/City; 1.5/2.0; 12:30:45",
    }
    clean = _redactor().clean(kept)
    assert clean == {**kept, "message": kept["message"].replace("projects/x/", "projects/PROJECT/")}


def test_ids_stay_apart_and_say_nothing():
    calls = [{"id": "call_abc"}, {"tool_call_id": "call_abc"}, {"id": "call_def"}, {"requestId": "r-1"}]
    assert _redactor().clean(calls) == [{"id": "ID-1"}, {"tool_call_id": "ID-1"}, {"id": "ID-2"}, {"requestId": "ID-3"}]


def test_numbers_under_a_personal_name_are_gone():
    assert _redactor().clean({"project_number": 42, "projectId": "p", "index": 42}) == {
        "project_number": "REDACTED",
        "projectId": "REDACTED",
        "index": 42,
    }


def test_a_short_secret_is_a_word_of_its_own():
    assert Redactor(["demo"]).text("demo demonstrates (demo) demo.") == "SECRET demonstrates (SECRET) SECRET."


def test_long_and_opaque_values_are_cut():
    assert _redactor().clean({"thought_signature": "c2ln" * 100}) == {"thought_signature": "<400 characters>"}
    assert _redactor().clean({"data": "short"}) == {"data": "short"}
    long = _redactor().text("word " * LONGEST)
    assert long.endswith(f"… ({5 * LONGEST} characters)")
    assert len(long) < LONGEST + 40
