"""The bucket of a setting: its name, where uploads go, and what is refused."""

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_source
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.media_bucket import (
    STORAGE_ORIGIN,
    MediaBucket,
    Target,
    resolve_bucket,
    resolve_media_bucket,
    resolve_target,
    split_bucket,
)

GOOGLE = "https://aiplatform.googleapis.com"


def resolve(origin=GOOGLE, *, own_server=False, emulated=False, hosts=(), **environment):
    return resolve_bucket(
        "gs://bkt/p", origin, own_server=own_server, emulated=emulated, allow_hosts=hosts, environment=environment
    )


@pytest.mark.parametrize(
    ("setting", "parts"),
    {
        "gs://my-bucket": ("my-bucket", ""),
        "gs://my-bucket/": ("my-bucket", ""),
        "gs://my.bucket_1/a/b": ("my.bucket_1", "a/b/"),
    }.items(),
)
def test_a_bucket_has_a_name_and_a_prefix(setting, parts):
    assert split_bucket(setting) == parts


def test_uploads_go_to_cloud_storage():
    bucket = resolve()
    assert (bucket.origin, bucket.emulated) == (STORAGE_ORIGIN, False)
    assert bucket.link("x.png") == "gs://bkt/p/x.png"


def test_an_emulator_of_the_endpoint_is_the_storage_too():
    bucket = resolve("http://127.0.0.1:9", emulated=True)
    assert (bucket.origin, bucket.emulated) == ("http://127.0.0.1:9", True)


@pytest.mark.parametrize("host", ["http://127.0.0.1:8", "127.0.0.1:8"])
def test_a_storage_emulator_comes_first(host):
    bucket = resolve("http://127.0.0.1:9", emulated=True, STORAGE_EMULATOR_HOST=host)
    assert (bucket.origin, bucket.emulated) == ("http://127.0.0.1:8", True)


def test_a_storage_emulator_elsewhere_must_be_allowed():
    with pytest.raises(SettingsError, match="not on this machine"):
        resolve(STORAGE_EMULATOR_HOST="storage.example")
    bucket = resolve(STORAGE_EMULATOR_HOST="https://storage.example", hosts=["storage.example"])
    assert bucket.origin == "https://storage.example"


@pytest.mark.parametrize(
    ("origin", "own"), [("https://vllm.example", True), ("https://proxy.example", False), (GOOGLE, True)]
)
def test_servers_that_read_no_links_are_refused(origin, own):
    with pytest.raises(SettingsError, match="media_bucket"):
        resolve(origin, own_server=own)


def test_an_emulator_gets_no_real_credential(monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:8")
    connection = Connection(project="p", api_key="real-token", media_bucket="gs://bucket")
    target = resolve_target(connection, resolve_destination(connection, {}), None)
    headers = target.source.headers(target.bucket.origin, 1.0)
    assert "real-token" not in headers["Authorization"]


def test_a_callable_of_another_server_is_not_sent_to_storage(monkeypatch):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    connection = Connection(base_url="https://gateway.example/v1", api_key="k", media_bucket="gs://bucket")
    with pytest.raises(SettingsError, match="media_bucket"):
        resolve_media_bucket(connection, resolve_destination(connection, {}))


def test_uploads_have_the_credential_and_the_way_of_the_calls(monkeypatch):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    settings = {"project": "p", "api_key": "t", "proxy": "http://proxy.example:1", "ca_bundle": "/ca.pem"}
    connection = Connection(**settings, media_bucket="gs://bucket/p")
    destination = resolve_destination(connection, {})
    source = resolve_source(connection, destination)
    target = resolve_target(connection, destination, source)
    assert target == Target(
        MediaBucket(STORAGE_ORIGIN, "bucket", "p/", emulated=False), source, connection.proxy, "/ca.pem"
    )
    assert resolve_target(Connection(**settings), destination, source) is None
