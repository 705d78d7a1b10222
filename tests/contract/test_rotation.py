"""Secrets and certificates that change while a program runs, through both faces."""

from __future__ import annotations

import logging
import os
import sys
import textwrap

import pytest
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest

import credconf
from tests.certificates import make_certificate
from tests.config.project import _texts
from tests.contract.faces import OTHER_SCOPE, SCOPE, SYNC, Clock, engine_of, wait_until

CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
CANARY = "canary~of-a.rotated_secret"
TEN_MINUTES = 600


def answers(entra):
    """The first word of each secret that was sent, and whether it was taken."""
    return [(item.form["client_secret"].partition("~")[0], item.status == 200) for item in entra.requests]


class Rotating:
    """A credential with secrets in files, whose requests can be counted."""

    def __init__(self, face, entra, directory, *names):
        self.entra, self.directory, self.clock, self.face = entra, directory, Clock(), face
        self.registration = entra.register(secrets=[])
        for name in names:
            self.write(name, name)
        self.names = names
        self.fields = {}
        self.made = None

    def write(self, file, secret):
        (self.directory / file).write_text(f"{secret}~{CANARY}\n")

    def accepts(self, *secrets):
        for secret in self.registration.secrets:
            self.registration.revoke_secret(secret)
        for secret in secrets:
            self.registration.add_secret(f"{secret}~{CANARY}")

    def reference(self, name):
        return {"file": str(self.directory / name)}

    @property
    def credential(self):
        if self.made is None:
            items = [self.reference(name) for name in self.names]
            fields = self.entra.config(client_id=self.registration.client_id, http={"retries": 0}, **self.fields)
            fields["client_secret"] = items if len(items) > 1 else items[0]
            self.made = self.face.on(engine_of(fields, clock=self.clock, monotonic=self.clock))
        return self.made

    def asks(self):
        """Request a token whatever is cached, and say what was sent for it."""
        before = len(self.entra.requests)
        self.credential.get_token(SCOPE, claims=CLAIMS)
        return answers(self.entra)[before:]

    def fails(self):
        before = len(self.entra.requests)
        with pytest.raises(credconf.AuthenticationError) as caught:
            self.credential.get_token(SCOPE, claims=CLAIMS)
        assert CANARY not in f"{caught.value!r} {caught.value.message} {vars(caught.value)}"
        return caught.value, answers(self.entra)[before:]


@pytest.fixture
def rotating(face, entra, tmp_path):
    made = []

    def make(*names):
        made.append(Rotating(face, entra, tmp_path, *names))
        return made[0]

    yield make
    if made and made[0].made is not None:
        made[0].made.close()


# One reference


def renamed(path, content):
    path.with_name("temporary").write_text(content)
    path.with_name("temporary").replace(path)


def in_place(path, content):
    path.write_text(content)


def removed_first(path, content):
    path.unlink()
    path.write_text(content)


@pytest.mark.parametrize("write", [renamed, in_place, removed_first])
def test_a_replaced_secret_is_used_with_the_next_request_and_the_old_one_no_more(rotating, write):
    case = rotating("file")
    case.accepts("file")
    assert case.asks() == [("file", True)]
    write(case.directory / "file", f"next~{CANARY}")
    case.accepts("next")
    assert case.asks() == [("next", True)]


def test_a_swap_of_kubernetes_data_link_is_followed(rotating):
    case = rotating()
    case.names = ("..data/secret",)
    for version in ("one", "two"):
        (case.directory / version).mkdir()
        case.write(f"{version}/secret", version)
    link = case.directory / "..data"
    link.symlink_to("one")
    case.accepts("one")
    assert case.asks() == [("one", True)]
    (case.directory / "..data_tmp").symlink_to("two")
    os.replace(case.directory / "..data_tmp", link)
    case.accepts("two")
    assert case.asks() == [("two", True)]


def test_a_file_that_stays_the_same_is_not_read_again(rotating, monkeypatch):
    case = rotating("file")
    case.accepts("file")
    case.asks()
    opened, real = [], os.open

    def watched(path, *arguments, **options):
        opened.append(str(path))
        return real(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", watched)
        for _ in range(3):
            assert case.asks() == [("file", True)]
        assert str(case.directory / "file") not in opened
        case.write("file", "next")
        case.accepts("next")
        assert case.asks() == [("next", True)]
        assert opened.count(str(case.directory / "file")) == 1


def test_a_change_that_the_file_system_did_not_date_is_found_after_the_refusal(rotating):
    case = rotating("file")
    case.accepts("file")
    case.asks()
    path = case.directory / "file"
    stamp = path.stat()
    case.write("file", "elif")  # as long as before
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    case.accepts("elif")
    assert case.asks()[-1] == ("elif", True)
    assert len(case.entra.requests) <= 3


def test_a_secret_that_was_caught_half_written_is_read_again_after_its_refusal(rotating):
    case = rotating("file")
    case.accepts("file")
    case.asks()
    path = case.directory / "file"
    path.write_text("ne")
    case.accepts("next")
    case.entra.before_token = lambda _: case.write("file", "next")
    assert case.asks() == [("ne", False), ("next", True)]


def test_while_a_changed_secret_is_refused_the_last_that_worked_serves_on(rotating, caplog):
    caplog.set_level(logging.INFO, "credconf")
    case = rotating("file")
    case.accepts("file")
    case.asks()
    case.write("file", "half")
    assert case.asks() == [("half", False), ("file", True)]
    assert case.asks() == [("file", True)]
    # A line is written once the callers have the token.
    wait_until(
        lambda: [item.levelname for item in caplog.records if "is still used" in item.getMessage()] == ["WARNING"]
    )
    assert CANARY not in caplog.text
    case.accepts("half")
    assert case.asks() == [("file", False), ("half", True)]
    assert case.asks() == [("half", True)]


def test_a_refused_secret_costs_one_request_in_five_seconds(rotating):
    case = rotating("file")
    for _ in range(3):
        error, sent = case.fails()
        assert sent == [("file", False)]
        assert error.aadsts == "AADSTS7000215"
        case.clock.advance(4.9)
        error, sent = case.fails()
        assert sent == []
        assert error.aadsts == "AADSTS7000215"
        case.clock.advance(0.1)
    case.accepts("file")
    assert case.asks() == [("file", True)]


def test_no_other_refusal_reads_anything_again(rotating):
    case = rotating("file")
    case.accepts("file")
    case.entra.refuses(53003)
    assert case.fails()[1] == [("file", False)]


def test_a_rotated_certificate_is_loaded_once_and_used(face, entra, tmp_path):
    path = tmp_path / "client.pem"
    old = make_certificate(path)
    registration = entra.register(certificates=[old.pem])
    fields = entra.config(client_id=registration.client_id, client_secret=None, client_certificate={"file": str(path)})
    credential = face.build(fields)
    first = credential.get_token(SCOPE)
    new = make_certificate(path)
    registration.add_certificate(new.pem)
    registration.remove_certificate(old.pem)
    assert credential.get_token(OTHER_SCOPE, claims=CLAIMS).token
    assert credential.get_token(SCOPE) is first
    assert [request.status for request in entra.requests] == [200, 200]
    credential.close()


def test_a_certificate_whose_password_rotates_with_it_is_found(face, entra, tmp_path):
    path, password = tmp_path / "client.pem", tmp_path / "password"
    password.write_text("one")
    registration = entra.register(certificates=[make_certificate(path, password="one").pem])
    fields = entra.config(client_id=registration.client_id, client_secret=None, client_certificate={"file": str(path)})
    credential = face.build({**fields, "client_certificate_password": {"file": str(password)}})
    credential.get_token(SCOPE)
    registration.add_certificate(make_certificate(path, password="two").pem)
    with pytest.raises(credconf.CredentialUnavailableError):
        credential.get_token(OTHER_SCOPE)
    password.write_text("two")
    assert credential.get_token(OTHER_SCOPE).token
    credential.close()


def test_what_is_kept_for_the_next_request_is_in_no_attribute(rotating):
    case = rotating("new", "old")
    case.accepts("old")
    case.asks()
    case.write("new", "next")
    case.asks()
    credential = case.credential.credential
    found = list(_texts(credential, set()))
    assert case.registration.client_id in found  # it does look around
    assert any(str(case.directory / "old") in text for text in found)
    assert not [text for text in found if CANARY in text]


# Programs


PROGRAM = """
    import pathlib, sys
    directory = pathlib.Path(sys.argv[1])
    with open(directory / "runs", "a") as runs:
        runs.write("x")
    sys.stdout.write((directory / "file").read_text())
"""


@pytest.fixture
def vault(face, entra, tmp_path):
    """A credential whose secret a program prints, and the number of its runs."""
    case = Rotating(face, entra, tmp_path, "file")
    program = tmp_path / "vault.py"
    program.write_text(textwrap.dedent(PROGRAM))
    fields = entra.config(client_id=case.registration.client_id)
    fields["client_secret"] = {"command": [sys.executable, "-S", str(program), str(tmp_path)]}
    case.made = face.from_config(**fields, allow={"command"})
    case.runs = lambda: len((tmp_path / "runs").read_text()) if (tmp_path / "runs").exists() else 0
    yield case
    case.made.close()


def test_a_program_runs_once_and_again_when_its_secret_was_refused(vault):
    vault.accepts("file")
    for _ in range(3):
        assert vault.asks() == [("file", True)]
    assert vault.runs() == 1
    vault.write("file", "next")
    vault.accepts("next")
    assert vault.asks() == [("file", False), ("next", True)]
    assert vault.asks() == [("next", True)]
    assert vault.runs() == 2


def test_a_program_whose_secret_stays_refused_runs_once_for_each_call(vault):
    assert vault.fails()[1] == [("file", False)]
    assert vault.runs() == 2  # before the request, and after the refusal
    for number in (3, 4):
        assert vault.fails()[1] == [], "the program prints what has just been refused"
        assert vault.runs() == number


# Lists


def test_the_secret_that_worked_is_remembered_and_shown_and_told_once(rotating, caplog):
    caplog.set_level(logging.INFO, "credconf")
    case = rotating("new", "old")
    case.accepts("old")
    assert case.asks() == [("new", False), ("old", True)]
    for _ in range(3):
        assert case.asks() == [("old", True)]
    name = f"client_secret.1 ({case.directory / 'old'})"
    assert case.credential.credential.describe()["proof"] == name
    told = [item for item in caplog.records if "in use" in item.getMessage()]
    assert [(item.levelname, item.getMessage()) for item in told] == [
        ("INFO", f"client {case.registration.client_id}: {name} is in use, 2 of 2")
    ]
    assert CANARY not in caplog.text


def test_the_preferred_secret_is_tried_again_when_it_changes(rotating):
    case = rotating("new", "old")
    case.accepts("old", "next")
    case.asks()
    case.write("new", "next")
    assert case.asks() == [("next", True)]
    assert case.asks() == [("next", True)]


def test_the_preferred_secret_is_tried_again_after_ten_minutes(rotating):
    case = rotating("new", "old")
    case.accepts("old")
    case.asks()
    case.clock.advance(TEN_MINUTES - 1)
    assert case.asks() == [("old", True)]
    case.clock.advance(1)
    assert case.asks() == [("new", False), ("old", True)]
    assert case.asks() == [("old", True)]
    case.accepts("old", "new")
    case.clock.advance(TEN_MINUTES)
    assert case.asks() == [("new", True)]


def test_when_the_remembered_secret_ends_the_others_are_tried_at_once(rotating):
    case = rotating("new", "middle", "old")
    case.accepts("old")
    assert case.asks() == [("new", False), ("middle", False), ("old", True)]
    case.accepts("middle")
    assert case.asks()[-1] == ("middle", True)
    assert case.asks() == [("middle", True)]


@pytest.mark.parametrize("ends", ["revoke_secret", "expire_secret"])
def test_if_all_are_refused_one_error_names_each_with_its_code(rotating, ends):
    case = rotating("new", "old", "lost")
    case.accepts("old")
    getattr(case.registration, ends)(f"old~{CANARY}")
    case.credential  # noqa: B018 - made while all can be read
    (case.directory / "lost").unlink()
    error, sent = case.fails()
    assert sent == [("new", False), ("old", False)]
    code = "AADSTS7000215" if ends == "revoke_secret" else "AADSTS7000222"
    assert error.aadsts == code
    for line in (
        f"client_secret.0 ({case.directory / 'new'}): AADSTS7000215",
        f"client_secret.1 ({case.directory / 'old'}): {code}",
        f"client_secret.2: it can't be read now: the file {case.directory / 'lost'} does not exist",
    ):
        assert line in str(error)


def test_if_none_can_be_read_each_is_named(rotating):
    case = rotating("new", "old")
    case.credential  # noqa: B018
    for name in case.names:
        (case.directory / name).unlink()
    error, sent = case.fails()
    assert sent == []
    assert isinstance(error, credconf.CredentialUnavailableError)
    for name in case.names:
        assert str(case.directory / name) in str(error)


def test_one_secret_in_two_places_is_sent_once(rotating):
    case = rotating("new", "old")
    case.write("old", "new")
    assert case.fails()[1] == [("new", False)]


def test_a_refused_secret_of_another_tenant_is_found_refused_by_all(rotating):
    case = rotating("new", "old")
    case.accepts("old")
    case.entra.allow_any_tenant()
    case.registration.allow_any_tenant()
    case.fields = {"additionally_allowed_tenants": ["*"]}
    for tenant in (None, "fabrikam.example", "contoso.example"):
        case.credential.get_token(SCOPE, tenant_id=tenant)
    assert answers(case.entra) == [("new", False), ("old", True), ("old", True), ("old", True)]


# Clients of the Azure SDK


class Service:
    """A transport of azure-core that keeps the tokens that it was shown, and answers 200."""

    def __init__(self):
        self.shown = []

    def send(self, request, **_):
        self.shown.append(request.headers["Authorization"])
        return type("Response", (), {"status_code": 200, "headers": {}, "request": request})()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_live_client_of_the_sdk_works_on_through_rotations(entra, tmp_path):
    case = Rotating(SYNC, entra, tmp_path, "file")
    case.accepts("file")
    service = Service()
    policy = BearerTokenCredentialPolicy(case.credential.credential, SCOPE)
    pipeline = Pipeline(service, [policy])
    for name in ("one", "two", "three"):
        request = HttpRequest("GET", "https://account.blob.example/")
        pipeline.run(request)
        pipeline.run(HttpRequest("GET", "https://account.blob.example/"))
        case.write("file", name)
        case.accepts(name)
        pipeline.run(HttpRequest("GET", "https://account.blob.example/"))  # its token survives the rotation
        policy._token = None
        case.clock.advance(4000)
    assert [used for _, used in answers(entra)] == [True] * 3
    assert [service.shown.count(token) for token in dict.fromkeys(service.shown)] == [3, 3, 3]
    case.made.close()
