"""Answers against a JSON schema; nothing is downloaded for it."""

import http.server
import threading

import pytest

from vertex_compat_integrations.compare.asking.schema_check import Schema, read_schema
from vertex_compat_integrations.core.errors import SettingsError

PERSON = {
    "title": "A person!",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


def test_an_answer_that_keeps_to_the_schema_is_valid():
    assert Schema(PERSON).check('{"name": "Ada", "age": 36}').is_valid


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": "Ada", "age": "36"}', "$.age: '36' is not of type 'integer'"),
        ('{"name": "Ada"}', "$: 'age' is a required property"),
        ("Ada is 36.", "Not valid JSON (Expecting value: line 1 column 1 (char 0))."),
        ('```json\n{"name": "Ada", "age": 36}\n```', "Not valid JSON (Expecting value: line 1 column 1 (char 0))."),
        ('{"name": "Ada", "age": NaN}', "Not valid JSON."),
        ("", "Not valid JSON (Expecting value: line 1 column 1 (char 0))."),
        ("[" * 200_000, "Not valid JSON."),
    ],
)
def test_an_answer_that_does_not_says_where(text, reason):
    found = Schema(PERSON).check(text)
    assert (found.is_valid, found.reason) == (False, reason)


def test_a_reason_is_never_as_long_as_the_answer():
    assert len(Schema({"type": "integer"}).check('"' + "x" * 10_000 + '"').reason) < 400


def test_what_a_reference_names_is_not_downloaded():
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        found = Schema({"$ref": f"http://127.0.0.1:{server.server_port}/person.json"}).check("{}")
        server.shutdown()
        thread.join()
    assert not found.is_valid
    assert "unknown reference" in found.reason
    assert asked == []


def test_a_schema_of_a_file_must_be_one(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text('{"type": "persona"}')
    with pytest.raises(SettingsError, match="'persona' is not valid"):
        read_schema(path)
    path.write_text("[]")
    with pytest.raises(SettingsError, match="contains no schema"):
        read_schema(path)


def test_a_model_is_asked_by_a_name_that_every_service_takes():
    asked = Schema(PERSON).response_format()
    assert asked["json_schema"] == {"name": "A_person_", "schema": PERSON}
