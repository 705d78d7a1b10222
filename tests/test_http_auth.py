"""`auth=` for httpx and requests: one origin, HTTPS only, and one answer to a claims challenge."""

from __future__ import annotations

import asyncio
import base64
import io
import subprocess
import sys

import httpx
import pytest
import requests
from requests.adapters import BaseAdapter

import credconf
import credconf.aio
from credconf import http_auth

ORIGIN = "https://api.example.com"
SCOPE = "api://example/.default"
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'


def challenge(claims: str = CLAIMS, error: str = "insufficient_claims") -> dict[str, str]:
    encoded = base64.b64encode(claims.encode()).decode()
    bearer = f'Bearer realm="", authorization_uri="https://e/authorize", error="{error}", claims="{encoded}"'
    return {"WWW-Authenticate": f'Basic realm="x", {bearer}'}


class Api:
    """A server behind an injected transport: it answers what it is told, and keeps the headers that it met."""

    def __init__(self, *answers: tuple[int, dict[str, str]]) -> None:
        self.answers = list(answers)
        self.met: list[tuple[str, str | None, bytes]] = []

    def answer(self, url: str, authorization: str | None, body: bytes) -> tuple[int, dict[str, str]]:
        self.met.append((url, authorization, body))
        return self.answers.pop(0) if self.answers else (200, {})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        status, headers = self.answer(str(request.url), request.headers.get("Authorization"), request.read())
        return httpx.Response(status, headers=headers)

    @property
    def tokens(self) -> list[str | None]:
        return [authorization for _, authorization, _ in self.met]


class Adapter(BaseAdapter):
    def __init__(self, api: Api) -> None:
        super().__init__()
        self.api = api

    def send(self, request, **_):
        body = request.body or b""
        sent = body.read() if hasattr(body, "read") else b"".join(body) if not isinstance(body, str | bytes) else body
        response = requests.Response()
        authorization = request.headers.get("Authorization")
        response.status_code, headers = self.api.answer(
            request.url, authorization, sent if isinstance(sent, bytes) else sent.encode()
        )
        response.headers.update(headers)
        response.url, response.request, response.raw, response.connection = request.url, request, io.BytesIO(), self
        return response

    def close(self):
        pass


def with_httpx(entra, api: Api, url: str = f"{ORIGIN}/v1/things", origin: str = ORIGIN, **request) -> int:
    with credconf.build(entra.config()) as credential:
        auth = http_auth.for_httpx(credential, SCOPE, origin=origin)
        with httpx.Client(transport=httpx.MockTransport(api), auth=auth, follow_redirects=True) as client:
            return client.post(url, **request).status_code


def with_httpx_async(entra, api: Api, url: str = f"{ORIGIN}/v1/things", origin: str = ORIGIN, **request) -> int:
    async def go() -> int:
        async with credconf.aio.build(entra.config()) as credential:
            auth = http_auth.for_httpx(credential, SCOPE, origin=origin)
            async with httpx.AsyncClient(
                transport=httpx.MockTransport(api), auth=auth, follow_redirects=True
            ) as client:
                return (await client.post(url, **request)).status_code

    return asyncio.run(go())


def with_requests(entra, api: Api, url: str = f"{ORIGIN}/v1/things", origin: str = ORIGIN, **request) -> int:
    if "content" in request:
        request["data"] = request.pop("content")
    with credconf.build(entra.config()) as credential, requests.Session() as session:
        session.trust_env = False
        session.mount("https://", Adapter(api))
        session.mount("http://", Adapter(api))
        session.auth = http_auth.for_requests(credential, SCOPE, origin=origin)
        return session.post(url, **request).status_code


@pytest.fixture(params=[with_httpx, with_httpx_async, with_requests])
def send(request):
    return request.param


def test_a_request_carries_a_token(fake_entra, send):
    api = Api()
    assert send(fake_entra, api) == 200
    [token] = api.tokens
    assert token is not None
    assert token.startswith("Bearer ey")


def test_a_claims_challenge_is_answered_with_a_new_token_and_the_body_again(fake_entra, send):
    api = Api((401, challenge()))
    assert send(fake_entra, api, content=b"body") == 200
    first, second = api.tokens
    assert first != second
    assert [body for _, _, body in api.met] == [b"body", b"body"]
    assert ["nbf" in (request.claims or "") for request in fake_entra.requests] == [False, True]


def test_a_second_challenge_is_the_answer(fake_entra, send):
    api = Api((401, challenge()), (401, challenge()), (401, challenge()))
    assert send(fake_entra, api) == 401
    assert len(api.met) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"WWW-Authenticate": "Bearer"},
        {"WWW-Authenticate": 'Basic realm="x", claims="e30="'},
        challenge(error="invalid_token"),
        challenge("[]"),
        challenge("not JSON"),
        {"WWW-Authenticate": 'Bearer error="insufficient_claims", claims="*"'},
        {"WWW-Authenticate": 'Bearer error="insufficient_claims"'},
    ],
)
def test_another_refusal_is_the_answer(fake_entra, send, headers):
    api = Api((401, headers))
    assert send(fake_entra, api) == 401
    assert len(api.met) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1",
        "http://api.example.com/v1",
        "https://api.example.com:8443/v1",
        "https://api.example.com.evil.example/v1",
        "https://api.example.com@evil.example/v1",
    ],
)
def test_a_token_is_sent_to_no_other_origin(fake_entra, send, url):
    api = Api()
    with pytest.raises(ValueError, match=r"the token is for api\.example\.com alone"):
        send(fake_entra, api, url=url)
    assert api.met == []
    assert fake_entra.requests == []


def test_a_redirect_takes_no_token_to_another_origin(fake_entra, send):
    location = {"Location": "https://evil.example/steal"}
    api = Api((307, location), (401, challenge()))
    assert send(fake_entra, api) == 401
    assert [url for url, _, _ in api.met] == [f"{ORIGIN}/v1/things", "https://evil.example/steal"]
    assert api.tokens[1] is None
    assert len(fake_entra.requests) == 1


def test_the_port_and_the_case_of_an_origin_do_not_matter(fake_entra, send):
    assert send(fake_entra, Api(), origin="https://API.example.com:443/") == 200


@pytest.mark.parametrize(
    "origin",
    ["http://api.example.com", "api.example.com", "https://", "https://a/path", "https://u:p@a", "https://a?x"],
)
def test_an_origin_is_https_without_a_path(fake_entra, send, origin):
    with pytest.raises(ValueError, match="origin= is https://HOST"):
        send(fake_entra, Api(), origin=origin)


def test_a_body_that_can_t_be_repeated_is_sent_once(fake_entra):
    api = Api((401, challenge()))
    assert with_requests(fake_entra, api, data=(part for part in (b"a", b"b"))) == 401
    api = Api((401, challenge()))
    assert with_requests(fake_entra, api, data=io.BytesIO(b"file")) == 200
    assert [body for _, _, body in api.met] == [b"file", b"file"]


def test_the_faces_of_a_client_and_its_credential_are_the_same(fake_entra):
    with credconf.build(fake_entra.config()) as credential:
        auth = http_auth.for_httpx(credential, SCOPE, origin=ORIGIN)

        async def go() -> None:
            async with httpx.AsyncClient(transport=httpx.MockTransport(Api()), auth=auth) as client:
                await client.get(ORIGIN)

        with pytest.raises(TypeError, match="an asynchronous client needs an asynchronous credential"):
            asyncio.run(go())
    asynchronous = credconf.aio.build(fake_entra.config())
    with pytest.raises(TypeError, match="a synchronous client needs a synchronous credential"):
        http_auth.for_requests(asynchronous, SCOPE, origin=ORIGIN)
    asyncio.run(asynchronous.close())


def test_a_credential_with_get_token_alone_will_do():
    class Simple:
        def get_token(self, *scopes, claims=None, **_):
            return type("Token", (), {"token": f"{scopes[0]} {claims}"})()

    api = Api((401, challenge()))
    auth = http_auth.for_httpx(Simple(), "s", origin=ORIGIN)
    with httpx.Client(transport=httpx.MockTransport(api), auth=auth) as client:
        assert client.get(ORIGIN).status_code == 200
    assert api.tokens == ["Bearer s None", f"Bearer s {CLAIMS}"]


def test_no_scope_is_an_error(fake_entra):
    with credconf.build(fake_entra.config()) as credential, pytest.raises(ValueError, match="at least one scope"):
        http_auth.for_requests(credential, origin=ORIGIN)


def test_neither_library_is_imported_before_it_is_used():
    code = "import sys; from credconf import http_auth; sys.exit(bool({'httpx', 'requests'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
