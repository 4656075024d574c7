"""The emulator's Cloud Storage: uploads in three ways, preconditions, refusals in Google's form, and gs:// links."""

import json
import urllib.error
import urllib.request

import pytest

BOUNDARY = "==="


def ask(emulator, method, path, body=b"", **headers):
    headers = {"Authorization": f"Bearer {emulator.identity.issue()}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    url = path if path.startswith("http") else f"{emulator.url}{path}"
    request = urllib.request.Request(url, body or None, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def insert(emulator, name="a.png", body=b"picture", more="", bucket="b"):
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}{more}"
    return ask(emulator, "POST", path, body, content_type="image/png")


def test_an_object_is_written_read_and_deleted(emulator):
    code, body, _ = insert(emulator)
    resource = json.loads(body)
    assert (code, resource["name"], resource["size"], resource["contentType"]) == (200, "a.png", "7", "image/png")
    assert json.loads(ask(emulator, "GET", "/storage/v1/b/b/o/a.png")[1]) == resource
    assert ask(emulator, "GET", "/storage/v1/b/b/o/a.png?alt=media")[1] == b"picture"
    assert ask(emulator, "DELETE", "/storage/v1/b/b/o/a.png")[0] == 204
    assert ask(emulator, "DELETE", "/storage/v1/b/b/o/a.png")[0] == 404
    assert ask(emulator, "GET", "/storage/v1/b/b/o/a.png")[0] == 404


def test_metadata_and_content_may_be_two_parts_of_one_body(emulator):
    lines = ['{"name": "d/a.pdf"}', "pages"]
    kinds = ["application/json", "application/pdf"]
    parts = [f"--{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n{line}\r\n" for kind, line in zip(kinds, lines, strict=True)]
    body = "".join([*parts, f"--{BOUNDARY}--"]).encode()
    path = "/upload/storage/v1/b/b/o?uploadType=multipart"
    assert ask(emulator, "POST", path, body, content_type=f"multipart/related; boundary={BOUNDARY}")[0] == 200
    stored = emulator.storage.objects["gs://b/d/a.pdf"]
    assert (stored.content, stored.content_type) == (b"pages", "application/pdf")


def test_a_resumable_upload_comes_in_chunks(emulator):
    path = "/upload/storage/v1/b/b/o?uploadType=resumable"
    code, _, headers = ask(emulator, "POST", path, b'{"name": "a"}', x_upload_content_type="image/png")
    assert code == 200
    session = headers["location"]
    code, _, headers = ask(emulator, "PUT", session, b"pictu", content_range="bytes 0-4/*")
    assert (code, headers["range"]) == (308, "bytes=0-4")
    assert ask(emulator, "PUT", session, b"re", content_range="bytes 5-6/7")[0] == 200
    assert emulator.storage.objects["gs://b/a"].content == b"picture"
    assert ask(emulator, "PUT", session, b"x")[0] == 404


def test_generation_zero_means_not_yet_there(emulator):
    assert insert(emulator, more="&ifGenerationMatch=0")[0] == 200
    code, body, _ = insert(emulator, more="&ifGenerationMatch=0", body=b"another")
    assert (code, json.loads(body)["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    path = "/upload/storage/v1/b/b/o?uploadType=resumable&ifGenerationMatch=0"
    assert ask(emulator, "POST", path, b'{"name": "a.png"}')[0] == 412
    assert emulator.storage.objects["gs://b/a.png"].content == b"picture"


@pytest.mark.parametrize("code", [403, 404, 503])
def test_a_bucket_refuses(emulator, code):
    emulator.storage.refuse("b", code)
    status, body, _ = insert(emulator)
    assert (status, json.loads(body)["error"]["code"]) == (code, code)
    assert ask(emulator, "GET", "/storage/v1/b/b/o/a")[0] == ask(emulator, "DELETE", "/storage/v1/b/b/o/a")[0] == code


def test_a_bad_token_and_an_unknown_way_are_refused(emulator):
    path = "/upload/storage/v1/b/b/o?uploadType=media&name=a"
    assert ask(emulator, "POST", path, b"a", Authorization="Bearer bad")[0] == 401
    assert ask(emulator, "POST", "/upload/storage/v1/b/b/o?uploadType=odd", b"a")[0] == 400


def chat(emulator, message):
    body = {"model": "google/gemini-3.5-flash", "messages": [message]}
    path = "/v1/projects/p/locations/global/endpoints/openapi/chat/completions"
    return ask(emulator, "POST", path, json.dumps(body).encode(), content_type="application/json")


def test_links_into_a_bucket_of_its_own_must_lead_to_an_object(emulator):
    insert(emulator)
    for link, code in {"gs://b/a.png": 200, "gs://b/z.png": 400, "gs://elsewhere/z.png": 200}.items():
        parts = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": link}}]
        assert chat(emulator, {"role": "user", "content": parts})[0] == code, link
    sound = {"type": "input_audio", "input_audio": {"data": "gs://b/z.wav", "format": "audio/wav"}}
    code, body, _ = chat(emulator, {"role": "user", "content": [sound]})
    assert code == 400
    assert b"gs://b/z.wav" in body


def test_a_reset_empties_it(emulator):
    insert(emulator)
    emulator.reset()
    assert emulator.storage.objects == {}


@pytest.mark.parametrize("way", ["resumable", "multipart"])
@pytest.mark.parametrize(
    "body", [b"[]", b"<x>", b"5", b"\xff", f"--{BOUNDARY}\r\n\r\n<\r\n--{BOUNDARY}\r\n\r\nx".encode()]
)
@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/related; boundary=", f"multipart/related; boundary={BOUNDARY}"]
)
def test_what_is_no_upload_is_a_bad_request(way, body, kind, emulator):
    path = f"/upload/storage/v1/b/b/o?uploadType={way}"
    code, answer, _ = ask(emulator, "POST", path, body, content_type=kind)
    assert (code, json.loads(answer)["error"]["code"]) == (400, 400)
    assert not emulator.storage.objects
