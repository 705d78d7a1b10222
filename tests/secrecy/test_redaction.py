"""Promise (SECURITY.md): a server's text is shown without any secret that is held, in any encoding."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

import credconf
from credconf.entra.redaction import DROPPED, Redactor
from tests.config.project import CLIENT, TENANT
from tests.contract.faces import OTHER_SCOPE, SCOPE
from tests.entra.scripted import TOKEN, Scripted
from tests.secrecy.canaries import CANARY, SECRET, Canary
from tests.secrecy.test_failures import error_of

ID = {"tenant_id": TENANT, "client_id": CLIENT}
OTHER = "aB1/cD2+eF3~gH4=iJ5&kL6"


def each(form):
    return lambda text: "".join(form.format(ord(character)) for character in text)


def lowered(text):
    """Encode like a URL of .NET."""
    return "".join(f"%{byte:02x}" if not chr(byte).isalnum() else chr(byte) for byte in text.encode())


ENCODINGS = {
    "as it is": str,
    "hexadecimal": lambda text: text.encode().hex(),
    "upper-case hexadecimal": lambda text: text.encode().hex().upper(),
    "a URL": lambda text: quote(text, safe=""),
    "a form": quote_plus,
    "a URL in small letters": lowered,
    "all of it in a URL": each("%{:02X}"),
    "all of it in a URL, in small letters": each("%{:02x}"),
    "a URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "a URL in a URL, in small letters": lambda text: lowered(lowered(text)),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "all of it in JSON": each("\\u{:04X}"),
    "all of it in JSON, in small letters": each("\\u{:04x}"),
    "Python": lambda text: repr(text)[1:-1],
    "bytes of Python": each("\\x{:02x}"),
    "HTML": html.escape,
    "numbers of HTML": each("&#{};"),
    "hexadecimal numbers of HTML": each("&#x{:X};"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()), safe=""),
}


@pytest.mark.parametrize("secret", [SECRET, OTHER])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_encoding_hides_a_secret_from_the_redactor(secret, encoding):
    form = ENCODINGS[encoding](secret)
    for text in (f"you sent {form}", f"{form} was sent", f"x={form}&y=z"):
        assert Redactor((secret,))(f"AADSTS7: no. {text}. Try again.") == f"AADSTS7: no. {DROPPED} Try again."


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if "base64" not in name])
def test_no_encoding_hides_a_part_of_a_secret_from_the_redactor(encoding):
    shown = Redactor((SECRET,))(f"No. It begins with {ENCODINGS[encoding](SECRET[:12])}, and so on. Yes.")
    assert shown == f"No. {DROPPED} Yes."


def test_the_other_sentences_are_shown_unchanged():
    text = "100% of caf\xe9s &amp; b\\u0061rs: 1.5 \U0001f600 %zz!"
    assert Redactor((OTHER,))(f"{text} You sent {quote(OTHER, safe='')}. {text}") == f"{text} {DROPPED} {text}"


@pytest.mark.parametrize(
    "secret", ["Of words. In two phrases!", "one. 2. 3. 4. 5. 6. 7. 8", "first line of it\nthe last line\n"]
)
@pytest.mark.parametrize("encoding", ["as it is", "a form", "JSON"])
def test_a_secret_of_several_sentences_is_removed(secret, encoding):
    shown = Redactor((secret,))(f"You sent. {ENCODINGS[encoding](secret)} is not valid. Try again.")
    assert DROPPED in shown
    Canary((secret, " ".join(secret.split()))).assert_absent([("shown", shown)])


def test_an_unquoted_secret_removes_nothing():
    text = "AADSTS7000215: Invalid client secret provided. Trace ID: 5f0c Timestamp: 2026-01-01 00:00:00Z"
    assert Redactor((SECRET, OTHER), lambda: (TENANT,), lambda: ("held-secret",), lambda: ("token" * 9,))(text) == text


def test_a_hidden_value_is_removed_from_its_sentence():
    redact = Redactor((SECRET,), lambda: (TENANT, "https://login.contoso.example/x y"))
    assert redact(f"Tenant '{TENANT}' not found. Yes.") == "Tenant '[removed]' not found. Yes."
    assert redact("at https%3A%2F%2Flogin.contoso.example%2Fx%20y. Yes.") == f"{DROPPED} Yes."


def test_a_hidden_value_in_a_secret_does_not_split_it():
    redact = Redactor(("one_x_two_x_six",), lambda: ("_x_",))
    assert redact("you sent one_x_two_x_six, at _x_. at _x_.") == f"{DROPPED} at [removed]."


def test_a_secret_with_half_a_character_is_removed_too():
    secret = f"{SECRET}\udcfc"
    CANARY.assert_absent([("shown", Redactor((secret,), lambda: (secret,))(f"you sent {SECRET}"))])


def failing(text, *, after=0, **settings):
    """Return the error for a refusal with `text`, after a number of tokens."""

    class Client(Scripted):
        count = 0

        def _answer(self, method, url, arguments):
            self.sent.append(arguments)
            self.count += 1
            self.status = 200 if self.count <= after else 401
            said = {"error": "invalid_client", "error_description": text(self) if callable(text) else text}
            self.answers = {"https": TOKEN | {"access_token": SECRET} if self.count <= after else said}
            return super()._answer(method, url, arguments)

    credential = credconf.build({**ID, "client_secret": "another-secret", **settings}, http_client=Client())
    for _ in range(after):
        credential.get_token(SCOPE)
    return str(error_of(credential.get_token, OTHER_SCOPE))


def test_the_other_secrets_of_a_list_are_removed():
    def sent(client):
        return "\n".join(each["data"]["client_secret"] for each in client.sent)

    said = failing(sent, client_secret=[SECRET, "another-secret", OTHER])
    CANARY.assert_absent([("said", said)])
    assert "another-secret" not in said
    assert OTHER not in said


def test_secrets_that_were_read_for_another_request_are_removed():
    client = Scripted({"https": {"error": "invalid_client"}}, 401)
    credential = credconf.build({**ID, "client_secret": ["another-secret", SECRET]}, http_client=client)
    error_of(credential.get_token, SCOPE)
    client.answers = {"https": {"error": "invalid_request", "error_description": f"lately you sent {SECRET}"}}
    said = str(error_of(credential.verify, SCOPE))  # which asks, whatever has just been refused
    assert f"The server's message: {DROPPED}" in said


def test_a_replaced_secret_is_removed_too(tmp_path):
    (tmp_path / "secret").write_text(SECRET)

    def rotated(client):
        (tmp_path / "secret").write_text("another-secret")
        return "\n".join(each["data"]["client_secret"] for each in client.sent)

    said = failing(rotated, client_secret={"file": str(tmp_path / "secret")})
    assert "invalid_client" in said
    CANARY.assert_absent([("said", said)])
    assert "another-secret" not in said


URLS = {
    "proxy": {"http": {"proxy": "http://user:{}@127.0.0.1:9"}},
    "Redis": {"token_cache": {"url": "redis://user:{}@127.0.0.1:9"}},
}


@pytest.mark.parametrize("whose", URLS)
def test_the_password_in_a_url_is_removed_alone_and_as_it_is_sent(whose):
    password = "p~" + "".join(character for character in SECRET if character.isalnum())
    ((group, fields),) = URLS[whose].items()
    settings = {group: {name: url.format(quote(password, safe="")) for name, url in fields.items()}}
    basic = base64.b64encode(f"user:{password}".encode()).decode()
    for form in (password, quote(password, safe=""), f"Basic {basic}"):
        assert f"The server's message: No. {DROPPED} Yes." in failing(f"No. You sent {form}. Yes.", **settings)


def test_the_key_of_a_shared_cache_is_removed(tmp_path):
    (tmp_path / "key").write_text(SECRET)
    for key in (SECRET, {"file": str(tmp_path / "key")}):
        cache = {"url": "redis://127.0.0.1:9", "key": key}
        CANARY.assert_absent([("said", failing(f"the key is {SECRET}", token_cache=cache))])


def test_tokens_that_are_held_are_removed():
    said = failing(f"Your last one was {SECRET}. It began with {SECRET[:20]}. Yes.", after=1)
    assert f"The server's message: {DROPPED} Yes." in said


@pytest.mark.parametrize("secret", ["s", "re", "the"])
def test_a_secret_of_a_few_characters_spoils_no_sentence_of_ours(secret):
    fields = {**ID, "authority": "127.0.0.1:9", "disable_instance_discovery": True, "http": {"retries": 0}}
    error = error_of(credconf.build({**fields, "client_secret": secret}).get_token, SCOPE)
    assert "127.0.0.1:9 refused the connection" in str(error)


def test_a_hidden_value_of_a_few_characters_spoils_no_sentence_of_ours():
    redact = Redactor(("e",), lambda: ("s", "dev"))
    assert redact.ours("s refused the connection to dev:8443") == "[removed] refused the connection to [removed]:8443"
    assert redact("the server") == DROPPED
