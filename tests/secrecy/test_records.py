"""Promise: no object that a frame may hold prints a secret, or what was read from a file that a configuration named."""

from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

import credconf
from credconf.assembly import blueprint_of
from credconf.cli.token import Acquired
from credconf.config.dotenv import parse_dotenv
from credconf.config.layers import Value
from credconf.config.reading.document import document_of
from credconf.entra.client import Answer
from credconf.entra.http import Response, TransportOptions
from credconf.entra.messages import Payload
from credconf.entra.redaction import Redactor
from credconf.entra.request import TokenRequest
from credconf.entra.sending import RequestContext
from credconf.factory import request_for
from credconf.ground.opaque import Hidden
from credconf.kinds import Identity, Proof, validate
from credconf.kinds.client_certificate import CertificateSigner
from credconf.problems.problem import Origin
from credconf.references import CommandReference, Reader
from credconf.tokens.blueprint import Blueprint
from credconf.tokens.cache import Token
from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.test_surfaces import printed

PATHS = ("client_id", "tenant_id", "authority", "oidc_authority", "region", "http.proxy")
HIDDEN = Identity(dict.fromkeys(PATHS, SECRET), frozenset({"client_id"}))
FIELDS = {"tenant_id": "t", "client_id": "c", "client_secret": SECRET, "http": {"proxy": f"http://u:{SECRET[:9]}@h:1"}}


def blueprint():
    made = blueprint_of(validate(FIELDS), Reader(os.environ), None)
    assert isinstance(made, Blueprint)
    return made


OBJECTS = {
    "a proof": lambda: Proof(SECRET, (SECRET,), "the client secret"),
    "the proof of a certificate": lambda: Proof(
        SECRET, (SECRET,), "the certificate", signer=CertificateSigner(SECRET, b"", b"")
    ),
    "an answer": lambda: Answer(SECRET, "Bearer", 3600.0, None),
    "a response": lambda: Response(200, SECRET, {"set-cookie": SECRET}),
    "options of the transport": lambda: TransportOptions(proxy=f"http://u:{SECRET}@h:1"),
    "a payload": lambda: Payload({"a": SECRET}, {"b": SECRET}, {"c": SECRET}),
    "an identity whose client was read from a file": lambda: HIDDEN,
    "a redactor": lambda: Redactor([SECRET], lambda: [SECRET]),
    "the context of a request": lambda: RequestContext(HIDDEN, SECRET, Redactor([SECRET])).redact,
    "a token request": lambda: TokenRequest(("s",), SECRET, SECRET, cae=True, key=(("s",), SECRET, True)),
    "a token": lambda: Token(SECRET, "Bearer", 3600.0, None, 0.0, 0.0),
    "an acquired token": lambda: Acquired(SECRET, {}, (), None, ()),
    "a reader": lambda: Reader({"A": SECRET}, {"B": SECRET}),
    "a document": lambda: document_of(f"a: '{SECRET[:9]}'\nb: [{SECRET[:9]}]\n", "app.yaml"),
    "a .env": lambda: parse_dotenv(f"A='{SECRET[:9]}'\n", ".env", discovered=False),
    "a value": lambda: Value(SECRET, Origin("argument", "a"), Origin("argument", "a"), [SECRET]),
    "variables": lambda: Hidden({"A": SECRET}),
    "a request": lambda: request_for(None, None, None, True, {"A": SECRET}, (), {"client_secret": SECRET}),
    "a blueprint": blueprint,
    "settings": lambda: validate(FIELDS),
    "a command": lambda: CommandReference(command=("pass", SECRET)),
    "a loaded configuration": lambda: credconf.load(False, env_file=False, environ={"A": SECRET}, **FIELDS),
}
WALKED = {"a token", "a token request", "an answer", "a response", "a proof", "the proof of a certificate"}
"""What is walked by its fields is what holds the secret: only its own words count."""


@pytest.mark.parametrize("name", OBJECTS)
def test_it_prints_nothing_of_what_it_holds(name):
    thing = OBJECTS[name]()
    CANARY.assert_absent(
        [("repr", repr(thing)), ("str", str(thing)), ("in a list", repr([thing])), ("format", f"{thing}")]
    )
    CANARY.assert_absent(
        (source, text) for source, text in printed(thing) if source.startswith(("rich", "pprint", "struct"))
    )


def test_a_model_of_ours_that_is_validated_by_hand_quotes_no_input():
    model = type(validate(FIELDS))
    with pytest.raises(ValidationError) as caught:
        model.model_validate({**FIELDS, "http": {"timeout": SECRET}})
    CANARY.assert_absent([("str", str(caught.value)), ("repr", repr(caught.value))])
