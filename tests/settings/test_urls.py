"""A URL that is refused says what to write instead, and shows nothing of itself."""

from __future__ import annotations

import json
import string
from urllib.parse import quote

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

import credconf
from credconf.entra.http import TransportOptions
from credconf.entra.proxies import Proxy
from credconf.kinds import SETTINGS
from credconf.settings import formats
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, assert_nothing_shows, codes, only

SPECIAL = {"\\": "%5C", "#": "%23", "/": "%2F", "?": "%3F", "@": "%40", " ": "%20", "[": "%5B", "\t": "%09"}
WITH_A_PASSWORD = {
    "http.proxy": "http://{}@proxy.example.com:8080",
    "token_cache.url": "rediss://{}@cache.example.com:6380/0",
}


def in_a_file(project, path, url):
    group, _, leaf = path.partition(".")
    kind = "kind: redis, " if group == "token_cache" else ""
    return project.refused_text(f"{COMPLETE}{group}: {{{kind}{leaf}: {json.dumps(url)}}}\n")


def test_the_urls_below_are_all_that_may_hold_a_password():
    assert set(WITH_A_PASSWORD) == {path for path, each in SETTINGS.items() if each.accepts_url}


@pytest.mark.parametrize("path", WITH_A_PASSWORD)
@pytest.mark.parametrize("login", [f"CORP{{}}svc:{CANARY}", f"svc:{CANARY}{{}}x", f"svc:{CANARY}{{}}"])
@pytest.mark.parametrize(("character", "encoded"), SPECIAL.items())
def test_a_character_that_needs_percent_encoding_is_named_with_what_to_write(project, path, login, character, encoded):
    problem = only(in_a_file(project, path, WITH_A_PASSWORD[path].format(login.format(character))))
    assert (problem.code, problem.path, problem.line) == ("bad-value", path, 4)
    assert "without percent-encoding" in problem.message
    assert f" as {encoded}" in str(problem.hint)


SOURCES = [
    "variable",
    "ALL_PROXY",
    "reference to a file",
    "reference to a variable",
    "argument",
    "own variable",
    "entry",
]


@pytest.mark.parametrize("source", SOURCES)
def test_a_proxy_is_told_alike_from_each_source(project, source):
    url, named = f"http://CORP\\svc:{CANARY}@proxy:8080", {"HTTPS_PROXY": "", "P": ""}
    text = {
        "reference to a file": f"{COMPLETE}http: {{proxy: {{file: p}}}}\n",
        "reference to a variable": f"{COMPLETE}http: {{proxy: {{env: P}}}}\n",
        "entry": f"default: a\ncredentials: {{a: {{tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: x}}}}\n",
    }.get(source, COMPLETE)
    variable = {"variable": "HTTPS_PROXY", "own variable": "CREDCONF_HTTP__PROXY", "reference to a variable": "P"}
    variable |= {"entry": "CREDCONF__A__HTTP__PROXY", "ALL_PROXY": "ALL_PROXY"}
    environ = {variable[source]: url} if source in variable else named
    project.write("p", url)
    arguments = {"http": {"proxy": url}} if source == "argument" else {}
    problem = only(project.refused_text(text, environ=environ, **arguments))
    assert "`\\` without percent-encoding" in problem.message
    assert problem.hint == "percent-encode: write `\\` as %5C"
    where = f"{problem.message} {problem.origin}"
    assert variable.get(source, "") in where


@pytest.mark.parametrize("given", ["proxies", "HTTPS_PROXY", "all_proxy"])
def test_a_class_of_azure_identity_tells_of_its_proxy_and_its_variable(monkeypatch, given):
    url, options = f"http://svc:{CANARY}#@proxy:8080", {}
    if given == "proxies":
        options = {"proxies": {"https": url}}
    else:
        monkeypatch.setenv(given, url)
    with pytest.raises(credconf.ConfigError, match="write `#` as %23") as caught:
        credconf.ClientSecretCredential(TENANT, CLIENT, "x", **options)
    assert_nothing_shows(caught.value)
    assert given == "proxies" or given in str(caught.value)


@example("%00")
@given(st.text(st.sampled_from(string.printable + "é€"), min_size=1, max_size=12))
def test_a_password_is_accepted_once_it_is_percent_encoded_and_arrives_as_it_is(password):
    url = f"http://svc:{quote(password, safe='')}@proxy:8080"
    assert formats.proxy(url) == url
    assert Proxy(TransportOptions(proxy=url))._password.decode() == password


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + "\\#/?@:[] %~._-"), min_size=1, max_size=12))
def test_a_password_as_it_is_either_arrives_as_it_is_or_is_refused(password):
    """A `%` aside, which begins an escape."""
    url = f"http://svc:{password}@proxy:8080"
    hint = hint_of(url)
    if hint is None:
        proxy = Proxy(TransportOptions(proxy=formats.proxy(url)))
        assert (proxy.user, proxy.host, proxy.port) == (b"svc", "proxy", 8080)
        assert "%" in password or proxy._password.decode() == password
    else:
        assert "percent-encode" in hint


def hint_of(url):
    try:
        formats.proxy(url)
    except formats.FormatError as exc:
        return str(exc.hint)
    return None


REFUSED = {
    "http:/proxy:8080": "://",
    "http//proxy:8080": "://",
    "http:proxy:8080": "://",
    "http:///proxy:8080": "://",
    "//proxy:8080": "://",
    "HTTPS:\\\\proxy": "://",
    "http://wpad/proxy.pac": "PAC",
    "http://wpad.example.com/wpad.dat": "PAC",
    "http://u:p@wpad/Proxy.PAC?x=1": "PAC",
    "file:///etc/proxy.pac": "PAC",
    "C:\\proxy.pac": "PAC",
    "proxy.pac": "PAC",
    "pac+http://wpad/x": "PAC",
    "proxy:8080/path": "remove the path",
    "http://proxy:8080?a=b": "remove the path",
    "ftp://proxy:8080": "http://HOST:PORT",
    "htp://proxy:8080": "http://HOST:PORT",
    "socks://proxy:1080": "socks5h://HOST:PORT",
    "http://proxy:65536": "1 to 65535",
    "http://proxy:0": "1 to 65535",
    "http://proxy:": "1 to 65535",
    "proxy:http": "1 to 65535",
    "http://:8080": "no host",
    "http://": "no host",
    "http://user:pw@": "no host",
    "http://::1:8080": "[ and ]",
    "http://proxy;8080": "in ASCII",
    "http://prøxy:8080": "in ASCII",
    "PROXY proxy:8080": "white space",
}


@pytest.mark.parametrize(("url", "words"), REFUSED.items())
def test_a_url_that_is_no_proxy_is_refused_with_its_fix(project, url, words):
    problem = only(in_a_file(project, "http.proxy", url))
    assert words in f"{problem.message}; {problem.hint}"
    assert problem.hint


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("proxy", "proxy", 80),
        ("proxy:3128", "proxy", 3128),
        (" http://proxy:3128/ ", "proxy", 3128),
        ("HTTP://proxy_1.example.com.:3128", "proxy_1.example.com.", 3128),
        ("https-proxy.example.com:443", "https-proxy.example.com", 443),
        ("http.example.com", "http.example.com", 80),
        ("svc:a:b@10.0.0.1:65535", "10.0.0.1", 65535),
        ("socks5h://svc@[fe80::1]:1080", "fe80::1", 1080),
    ],
)
def test_what_is_accepted_is_a_proxy_for_the_transport(url, host, port):
    proxy = Proxy(TransportOptions(proxy=formats.proxy(url)))
    assert (proxy.scheme != "", proxy.host, proxy.port) == (True, host, port)


AUTHORITIES = [
    ("authority", "https:/login.example.com", "write https://"),
    ("authority", "https//login.example.com", "write https://"),
    ("authority", "http://login.example.com", "https:// instead of http://"),
    ("authority", f"https://login.microsoftonline.com/{TENANT}", "`tenant_id`"),
    ("authority", "login.microsoftonline.com/common/", "`tenant_id`"),
    ("authority", "https://user:pw@login.example.com", "precedes the host"),
    ("authority", "https://login.example.com?x=y", "remove the `?`"),
    ("authority", "ftp://login.example.com", "write it as https://"),
    ("oidc_authority", "https:/idp.example.com/a", "write https://"),
    ("oidc_authority", "http://idp.example.com/a", "https:// instead of http://"),
    ("oidc_authority", "https://idp.example.com", "https://idp.example.com/oauth"),
    ("oidc_authority", "https://idp.example.com/a#b", "remove the `?` or `#`"),
    ("token_cache.url", "http://cache.example.com", "rediss://HOST"),
    ("token_cache.url", "rediss:/cache.example.com", "rediss://HOST"),
    ("token_cache.url", "rediss://cache.example.com?ssl_cert_reqs=none", "remove the `?`"),
    ("token_cache.url", "rediss://cache.example.com:99999", "the port"),
    ("token_cache.url", "redis+sentinel://a.example.com:26379/mymaster", "`sentinel: NAME`"),
    ("token_cache.url", "rediss+cluster://a.example.com:6379", "`cluster: true`"),
    ("token_cache.url", "rediss://a.example.com:6380;b.example.com:6380", "separate hosts by commas alone"),
]


@pytest.mark.parametrize(("path", "url", "words"), AUTHORITIES)
def test_every_other_url_is_refused_with_its_fix(project, path, url, words):
    if path == "token_cache.url":
        problem = only(in_a_file(project, path, url))
    else:
        text = ID if path == "authority" else f"client_id: {CLIENT}\n"
        problem = only(project.refused_text(f"{text}client_secret: x\n{path}: {json.dumps(url)}\n"))
    assert words in str(problem.hint)
    assert problem.code == "bad-value"


@pytest.mark.parametrize("word", ["common", "Common", "ORGANIZATIONS", "consumers"])
@pytest.mark.parametrize(
    "place", ["text", "file", "env", "variable", "entry", "allowed", "allowed variable", "argument"]
)
def test_a_tenant_for_signing_in_users_is_none_of_an_application(project, word, place):
    project.write("tenant", word)
    rest = f"client_id: {CLIENT}\nclient_secret: {CANARY}\n"
    text = {
        "text": f"tenant_id: {word}\n{rest}",
        "file": f"tenant_id: {{file: tenant}}\n{rest}",
        "env": f"tenant_id: {{env: T}}\n{rest}",
        "entry": yaml.safe_dump({"default": "a", "credentials": {"a": {"tenant_id": word, **yaml.safe_load(rest)}}}),
        "allowed": f"{COMPLETE}additionally_allowed_tenants: [{TENANT}, {word}]\n",
        "allowed variable": COMPLETE,
    }.get(place, rest)
    environ = {"T": word, "AZURE_TENANT_ID": word if place == "variable" else ""}
    environ |= {"AZURE_ADDITIONALLY_ALLOWED_TENANTS": f"a;{word}" if place == "allowed variable" else ""}
    arguments = {"tenant_id": word} if place == "argument" else {}
    error = project.refused_text(text, environ=environ, **arguments)
    assert codes(error) == ["bad-value"]
    assert "an application needs its own tenant" in only(error).message
    assert "`tenant_id`" in only(error).message or "allowed_tenants" in only(error).message
    assert str(only(error).hint).startswith("write the id or a domain")


@pytest.mark.parametrize("word", ["common", "Organizations"])
def test_no_token_is_asked_for_in_a_tenant_for_signing_in_users(word):
    credential = credconf.ClientSecretCredential(TENANT, CLIENT, CANARY, additionally_allowed_tenants=["*"])
    with pytest.raises(ValueError, match="an application needs its own tenant"):
        credential.get_token("https://storage.azure.com/.default", tenant_id=word)


def test_a_class_of_azure_identity_refuses_a_tenant_for_signing_in_users():
    with pytest.raises(ValueError, match="an application needs its own tenant"):
        credconf.ClientSecretCredential("organizations", CLIENT, CANARY)
