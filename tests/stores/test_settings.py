"""The settings of `token_cache`: how the kind of store is inferred, and what each kind accepts."""

from __future__ import annotations

import importlib.util
import pickle

import pytest
import yaml
from pydantic import SecretStr

import credconf
from credconf.assembly import blueprint_of
from credconf.config.judging import judge
from credconf.config.reading.document import document_of
from credconf.kinds import NESTED, identify, validate
from credconf.references import Reader
from credconf.settings.formats import FormatError
from credconf.stores import OWN_SETTINGS, TokenCacheSettings
from credconf.stores.redis import redis_url
from credconf.stores.redis_address import address_of
from credconf.tokens.blueprint import Blueprint
from tests.config.project import CANARY, COMPLETE, ID, VARIABLES, codes, only, warned

URL = "rediss://cache.example.com:6380/0"
REDIS = f"{COMPLETE}token_cache: {{url: '{URL}'}}\n"


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Every extra, as far as anybody asks for it."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: find("json" if name == "redis" else name))


@pytest.mark.parametrize(
    ("cache", "kind"),
    [
        ("{}", "memory"),
        ("{max_entries: 5}", "memory"),
        ("{name: billing}", "file"),
        ("{allow_unencrypted_storage: true}", "file"),
        (f"{{url: '{URL}'}}", "redis"),
        ("{kind: memory, name: billing, url: 'redis://a'}", "memory"),
    ],
)
def test_the_kind_follows_from_what_is_set_unless_it_is_named(cache, kind):
    settings = validate(yaml.safe_load(f"{COMPLETE}token_cache: {cache}\n"))
    assert settings.token_cache.kind == kind


def test_one_variable_switches_sharing_off(project):
    environ = {"CREDCONF_TOKEN_CACHE__KIND": "memory"}
    assert project.flat(REDIS, environ=environ).settings.token_cache.kind == "memory"


def test_every_setting_belongs_to_one_kind_or_to_all():
    special = [name for names in OWN_SETTINGS.values() for name in names]
    assert len(special) == len(set(special))
    assert set(NESTED["token_cache"]) == {*special, "kind", "max_entries"}


@pytest.mark.parametrize(
    ("cache", "code", "path"),
    [
        ("{kind: disk}", "bad-value", "token_cache.kind"),
        ("{kind: redis}", "missing", "token_cache.url"),
        ("{key: {env: KEY}}", "missing", "token_cache.url"),
        ("{allow_unencrypted_storage: true, timeout: 1}", "unknown-key", "token_cache.timeout"),
        ("{name: a, url: 'redis://a'}", "unknown-key", "token_cache.url"),
        ("{name: ../a}", "bad-value", "token_cache.name"),
        (f"{{url: 'https://u:{CANARY}@a'}}", "bad-value", "token_cache.url"),
        (f"{{url: 'rediss://a?password={CANARY}'}}", "bad-value", "token_cache.url"),
        ("{url: {env: NOWHERE}}", "missing-variable", "token_cache.url"),
        ("{url: 'redis://a', key: {file: nowhere}}", "missing-file", "token_cache.key"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_wrong(project, cache, code, path):
    problem = only(project.refused_text(f"{COMPLETE}token_cache: {cache}\n", environ={"KEY": CANARY}))
    assert (problem.code, problem.path) == (code, path)


def errors_without_a_machine(text):
    return [each for each in judge([document_of(text, "credconf.yaml")]) if each.severity == "error"]


@pytest.mark.parametrize(
    ("cache", "path"),
    [
        ("{url: 'unix:///run/redis.sock', cluster: true}", "token_cache.url"),
        ("{url: 'unix:///run/redis.sock', sentinel: mymaster}", "token_cache.url"),
        ("{url: 'redis://a/1', cluster: true}", "token_cache.url"),
        ("{url: 'redis://a', cluster: true, sentinel: mymaster}", "token_cache.sentinel"),
        ("{url: 'redis://a', entra_sign_in: true}", "token_cache.url"),
        ("{url: {env: PASSWORD}, entra_sign_in: true}", "token_cache.url"),
    ],
)
def test_settings_that_do_not_go_together_are_told_also_where_the_url_is_a_reference(project, cache, path):
    environ = {"PASSWORD": f"rediss://u:{CANARY}@a"}
    problem = only(project.refused_text(f"{COMPLETE}token_cache: {cache}\n", environ=environ))
    assert (problem.code, problem.path) == ("conflict", path)
    assert problem.hint
    assert CANARY not in str(problem)
    if "url: {" not in cache:  # what is written is judged without the machine, too
        (found,) = errors_without_a_machine(f"{COMPLETE}token_cache: {cache}\n")
        assert (found.code, found.path) == (problem.code, problem.path)


@pytest.mark.parametrize(
    ("cache", "path"),
    [
        ("{url: 'redis://a,b'}", "token_cache.cluster"),
        ("{url: {env: HOSTS}}", "token_cache.cluster"),
        ("{url: 'redis://a', sentinel_password: {env: KEY}}", "token_cache.sentinel"),
    ],
)
def test_a_setting_that_another_one_needs_may_come_from_a_variable(project, cache, path):
    text = f"{COMPLETE}token_cache: {cache}\n"
    environ = {"KEY": CANARY, "HOSTS": f"rediss://u:{CANARY}@a,b"}
    problem = only(project.refused_text(text, environ=environ))
    assert (problem.code, problem.path) == ("missing", path)
    assert "redis" not in problem.message
    assert errors_without_a_machine(text) == []
    given = {**environ, "CREDCONF_TOKEN_CACHE__SENTINEL": "mymaster"}
    assert project.flat(text, environ=given).settings.token_cache.sentinel == "mymaster"


@pytest.mark.parametrize(
    "cache",
    [
        {"url": "rediss://a,b:6380,[::1]:7000", "cluster": True},
        {"url": "redis://u:p@a/0", "cluster": True},
        {"url": "redis://a,b/2", "sentinel": "mymaster", "sentinel_password": "p"},
        {"url": "rediss://object-id@a:10000", "cluster": True, "entra_sign_in": True},
    ],
)
def test_the_settings_of_a_cluster_and_of_sentinels_go_together(cache):
    plan = blueprint_of(validate({**yaml.safe_load(COMPLETE), "token_cache": cache}), Reader({}), None)
    assert isinstance(plan, Blueprint)
    assert plan.settings.token_cache.kind == "redis"


def test_a_url_is_taken_apart():
    encoded = "p%2Fw"
    address = address_of(f"rediss://us%40er:{encoded}@a.example.com,b.example.com:6380,[::1]:7000,[::2]/3")
    assert (address.user, address.password, address.database) == ("us@er", "p/w", 3)
    assert address.servers() == [("a.example.com", 6379), ("b.example.com", 6380), ("::1", 7000), ("::2", 6379)]
    assert address.servers(sentinels=True)[0] == ("a.example.com", 26379)
    assert "p/w" not in repr(address)
    socket = address_of("unix://:pw@/run/redis.sock?db=2")
    assert (socket.path, socket.user, socket.password, socket.database) == ("/run/redis.sock", None, "pw", 2)
    socket = address_of("unix://u:pw@/run/redis@main/redis.sock")
    assert (socket.user, socket.password, socket.path) == ("u", "pw", "/run/redis@main/redis.sock")
    assert address_of("unix:///run/redis@main/redis.sock").path == "/run/redis@main/redis.sock"


@pytest.mark.parametrize(
    ("cache", "environ"),
    [
        ("{sentinel: other}", {"CREDCONF_TOKEN_CACHE__URL": f"rediss://u:{CANARY}@a"}),
        ("{url: 'rediss://elsewhere', sentinel: other}", {"CREDCONF_TOKEN_CACHE__SENTINEL_PASSWORD": CANARY}),
    ],
)
def test_a_file_that_was_only_found_does_not_decide_who_receives_a_password_of_the_cache(project, cache, environ):
    project.write("credconf.yaml", f"{COMPLETE}token_cache: {cache}\n")
    error = project.refused(environ=environ)
    assert set(codes(error)) == {"redirected-secret"}
    assert CANARY not in str(error)
    assert project.load("credconf.yaml", environ=environ).settings.token_cache.sentinel == "other"


def test_the_password_of_a_proxy_is_not_sent_to_a_cache(project):
    project.write("credconf.yaml", f"{COMPLETE}token_cache: {{url: 'rediss://a', cluster: true}}\n")
    environ = {"CREDCONF_HTTP__PROXY": f"http://u:{CANARY}@proxy.example.com:8080"}
    assert project.load(environ=environ).settings.token_cache.cluster


def test_a_url_that_is_missing_names_the_variable_that_would_give_it(project):
    problem = only(project.refused_text(f"{COMPLETE}token_cache: {{kind: redis}}\n"))
    assert "CREDCONF_TOKEN_CACHE__URL" in problem.hint


@pytest.mark.parametrize("text", ["http://a", f"redis://{CANARY}@", f"rediss://a?x={CANARY}"])
def test_a_url_is_checked_when_it_is_read(project, text):
    error = project.refused_text(f"{COMPLETE}token_cache: {{url: {{env: HERE}}}}\n", environ={"HERE": text})
    assert codes(error) == ["bad-value"]


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_an_extra_that_is_missing_is_named(project, kind, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    cache = "{kind: file}" if kind == "file" else f"{{url: '{URL}'}}"
    problem = only(project.refused_text(f"{COMPLETE}token_cache: {cache}\n"))
    assert (problem.code, problem.path) == ("missing-extra", "token_cache.kind")
    extra = {"file": "credconf[persistent]", "redis": "credconf[redis]"}[kind]
    assert extra in problem.message
    assert extra in problem.hint
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.build({"tenant_id": "t", "client_id": "c", "client_secret": CANARY, "token_cache": {"name": "a"}})
    assert codes(caught.value) == ["missing-extra"]


def test_every_setting_has_a_variable(project):
    project.write("url", f"rediss://:{CANARY}@cache.example.com")
    project.write("key", CANARY)
    resolved = project.load(
        environ={
            **VARIABLES,
            "CREDCONF_TOKEN_CACHE__URL_FILE": "url",
            "CREDCONF_TOKEN_CACHE__KEY_FILE": "key",
            "CREDCONF_TOKEN_CACHE__TIMEOUT": "0.1",
        }
    )
    cache = resolved.settings.token_cache
    assert (cache.kind, cache.timeout, cache.key.file) == ("redis", 0.1, str(project.path / "key"))
    identity, _ = identify(resolved.settings, resolved.reader)
    assert CANARY in identity.texts["token_cache.url"]
    assert CANARY not in repr(identity)
    assert identity.texts["token_cache.url"] in identity.concealed()
    assert CANARY in identity.passwords()
    environ = {"CREDCONF_TOKEN_CACHE__NAME": "billing", "CREDCONF_TOKEN_CACHE__ALLOW_UNENCRYPTED_STORAGE": "yes"}
    cache = project.load(environ={**VARIABLES, **environ}).settings.token_cache
    assert (cache.kind, cache.name, cache.allow_unencrypted_storage) == ("file", "billing", True)


@pytest.mark.parametrize("cache", [f"{{url: '{URL}'}}", f"{{url: {{env: MINE}}, key: {CANARY}}}"])
def test_a_file_that_was_only_found_does_not_decide_where_tokens_go(project, cache):
    project.write("credconf.yaml", f"{ID}token_cache: {cache}\n")
    environ = {"AZURE_CLIENT_SECRET": CANARY, "MINE": URL}
    error = project.refused(environ=environ)
    assert set(codes(error)) == {"redirected-secret"}
    assert "where the tokens of the secret from $AZURE_CLIENT_SECRET are kept" in str(error)
    assert project.load("credconf.yaml", environ=environ).settings.token_cache.kind == "redis"


def test_a_key_and_a_password_in_a_file_are_warned_of(project):
    text = f"{COMPLETE}token_cache: {{url: 'redis://:{CANARY}@a', key: {CANARY}}}\n"
    resolved = project.flat(text)
    assert [code for code in warned(resolved) if code == "secret-in-file"] == ["secret-in-file"] * 3


@pytest.mark.parametrize("held", [{"url": f"redis://:{CANARY}@a"}, {"url": "redis://a", "key": CANARY}])
def test_settings_that_hold_a_secret_are_not_pickled(held):
    settings = TokenCacheSettings.model_validate(held)
    assert CANARY not in repr(settings)
    with pytest.raises(TypeError):
        pickle.dumps(settings)


def test_settings_that_hold_no_secret_are_pickled():
    settings = TokenCacheSettings(url=SecretStr(URL), key={"file": "key"})
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own


@pytest.mark.parametrize(
    "url",
    [
        "redis://a:65536",
        "redis://a:0",
        "redis://",
        "redis:///0",
        "redis://a/x",
        "unix://a",
        "unix:///",
        "a:6379",
        "redis://a b",
        "redis://a,",
        "redis://,a",
        "redis://a,b c",
        "unix:///a,b:c?d",
    ],
)
def test_what_is_no_url_of_a_redis_is_refused(url):
    with pytest.raises(FormatError):
        redis_url(url)


@pytest.mark.parametrize("url", [URL, " redis://a ", "redis://u:p%40@[::1]:6379/15", "unix:///run/redis.sock?db=1"])
def test_what_is_a_url_of_a_redis_stays_as_it_is(url):
    assert redis_url(url) == url.strip()
