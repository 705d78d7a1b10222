"""Tokens in a Redis: what is stored there, and who finds it."""

from __future__ import annotations

import json
import logging
import pickle
import time
import traceback

import pytest
import redis

from credconf.assembly import blueprint_of
from credconf.entra.proof import Proof
from credconf.kinds import validate
from credconf.kinds.client_certificate import CertificateSigner
from credconf.problems.failure import Failure
from credconf.references import NotFound, Reader
from credconf.stores.redis_store import LARGEST, LEASE
from credconf.stores.store import Entry, Unavailable
from credconf.tokens.blueprint import opened_store
from tests.stores.redis_storage import CLIENT, SECRET, TENANT, Secrets, plan_of

TOKEN = "canary.token.text"
KEY = json.dumps(["https://login.microsoftonline.com", TENANT, CLIENT, ["s"], False])


@pytest.fixture
def backend_of(redis_url, clock):
    made = []

    def make(*texts, worked=None, proofs=None, **cache):
        secrets = Secrets(*(texts or (SECRET,)), worked=worked)
        if proofs is not None:
            secrets.proofs = proofs
        backend = opened_store(plan_of(redis_url, lambda: clock.wall, lambda: clock.monotonic, **cache), secrets)
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def inside(redis_url):
    """What a reader of the Redis sees."""
    with redis.Redis.from_url(redis_url, protocol=2) as client:
        yield client


def entry(text=TOKEN, lifetime=3600.0, refresh_in=1800.0, age=0.0):
    return Entry(text, "Bearer", lifetime, refresh_in, age)


def dump(client):
    return b"".join(name + client.get(name) for name in client.keys("*"))


# What is found


def test_a_token_is_found_by_another_process_with_the_age_that_it_has(backend_of):
    backend_of().put(KEY, entry(age=100.0))
    found = backend_of().get(KEY).entry
    assert (found.token, found.token_type, found.lifetime, found.refresh_in) == (TOKEN, "Bearer", 3600.0, 1800.0)
    assert found.age == pytest.approx(100.0, abs=5)


def test_the_clocks_of_the_machines_do_not_matter(backend_of, clock):
    backend_of().put(KEY, entry(age=100.0))
    clock.wall -= 86400 * 400
    clock.monotonic += 12345
    assert backend_of().get(KEY).entry.age == pytest.approx(100.0, abs=5)


def test_an_entry_goes_with_its_token(backend_of, inside):
    backend_of().put(KEY, entry(age=600.0))
    (name,) = inside.keys("*")
    assert 2990_000 < inside.pttl(name) <= 3000_000


def test_a_token_that_has_ended_is_not_even_written(backend_of, inside):
    backend_of().put(KEY, entry(age=3600.0))
    assert inside.keys("*") == []


def test_a_token_is_no_younger_for_being_kept_longer_or_written_late(backend_of, inside):
    backend = backend_of()
    backend.put(KEY, entry(lifetime=0.2, refresh_in=None))
    (name,) = inside.keys("*")
    value = inside.get(name)
    inside.set(name, value)  # with no end, as a command that a paused server executes late would set another one
    while backend.get(KEY).entry is not None:
        pass
    assert inside.get(name) == value


def test_the_time_that_storing_takes_counts(backend_of, clock, monkeypatch):
    backend, told = backend_of(), redis.Redis.eval

    def slow(client, *arguments):
        answer = told(client, *arguments)
        clock.advance(20)
        return answer

    monkeypatch.setattr(redis.Redis, "eval", slow)
    backend.put(KEY, entry())
    monkeypatch.undo()
    assert backend.get(KEY).entry.age == pytest.approx(20, abs=5)


def test_a_token_that_seems_to_come_from_later_is_not_trusted(backend_of, inside, monkeypatch):
    backend = backend_of()
    monkeypatch.setattr(redis.Redis, "eval", lambda *_: [b"4000000000", b"0"])
    backend.put(KEY, entry())
    monkeypatch.undo()
    assert backend.get(KEY).entry is None


# Who finds it


def test_a_wrong_secret_finds_nothing(backend_of):
    backend_of().put(KEY, entry())
    assert backend_of("another").get(KEY).entry is None


def test_each_listed_secret_is_tried_on_reading(backend_of):
    backend_of("old").put(KEY, entry())
    assert backend_of("new", "old").get(KEY).entry.token == TOKEN


def test_a_token_is_kept_under_the_secret_that_got_it(backend_of):
    backend_of("placeholder", "right", worked="right").put(KEY, entry())
    assert backend_of("placeholder").get(KEY).entry is None, "a process without the right secret found the token"
    assert backend_of("right").get(KEY).entry.token == TOKEN
    assert backend_of("placeholder", "right").get(KEY).entry.token == TOKEN


def test_the_secret_that_worked_last_finds_its_token_though_no_reference_names_it_any_more(backend_of):
    backend_of("old").put(KEY, entry())
    assert backend_of("half-written", worked="old").get(KEY).entry.token == TOKEN


def test_of_two_tokens_the_one_that_ends_last_is_found(backend_of):
    backend_of("old").put(KEY, entry("older", age=1000.0))
    backend_of("new").put(KEY, entry("newer"))
    for order in (("new", "old"), ("old", "new")):
        assert backend_of(*order).get(KEY).entry.token == "newer"


def test_with_a_key_of_its_own_the_secret_does_not_matter(backend_of):
    backend_of("one", key="the common key").put(KEY, entry())
    assert backend_of("other", key="the common key").get(KEY).entry.token == TOKEN
    assert backend_of("one", key="another key").get(KEY).entry is None
    assert backend_of("one").get(KEY).entry is None


def test_a_key_in_a_file_may_change(backend_of, clock, tmp_path):
    path = tmp_path / "key"
    path.write_text("first")
    backend = backend_of(key={"file": str(path)})
    backend.put(KEY, entry())
    path.write_text("second")
    clock.advance(2)
    assert backend.get(KEY).entry is None
    path.write_text("first")
    clock.advance(2)
    assert backend.get(KEY).entry.token == TOKEN


def test_without_its_key_or_any_secret_it_can_not_be_used(backend_of, clock, tmp_path):
    path = tmp_path / "key"
    path.write_text("first")
    backend = backend_of(key={"file": str(path)})
    path.unlink()
    with pytest.raises(Unavailable, match="its key can't be read now"):
        backend.get(KEY)
    empty = backend_of(proofs=[])
    with pytest.raises(Unavailable, match="no secret of the credential can be read now"):
        empty.lock(KEY)


def test_a_certificate_is_known_by_its_private_key_however_its_file_is_written(backend_of):
    def certificate(chain):
        return Proof("-----BEGIN canary", (), "certificate", signer=CertificateSigner(None, chain, chain))

    written, reading = backend_of(proofs=[certificate(b"short")]), backend_of(proofs=[certificate(b"long")])
    written.put(KEY, entry())
    assert reading.get(KEY).entry.token == TOKEN


# What others see


def test_who_reads_the_redis_learns_neither_token_nor_identity(backend_of, inside):
    backend = backend_of()
    held = backend.lock(KEY)
    backend.put_failure(KEY, Failure("message of client-canary", "invalid_client"), 30)
    before = dump(inside)
    backend.put(KEY, entry())
    held.release()
    for stored in (before, dump(inside)):
        assert stored
        for text in ("canary", "microsoft", "Bearer", "invalid_client"):
            assert text.encode() not in stored


def test_a_value_that_does_not_decrypt_is_a_miss_counted_and_logged_once(backend_of, inside, caplog):
    backend = backend_of()
    backend.put(KEY, entry())
    (name,) = inside.keys("*")
    with caplog.at_level(logging.WARNING, "credconf"):
        for rubbish in (b"", b"x", b"x" * 500, inside.get(name)[:-1], b"x" * (LARGEST + 100)):
            inside.set(name, rubbish)
            assert backend.get(KEY).entry is None
        inside.delete(name)
        inside.rpush(name, "a list")
        assert backend.get(KEY).entry is None
    assert backend.undecryptable == 5
    assert [record.message for record in caplog.records] == [
        f"client client: {backend.label} holds a value that can't be decrypted: it counts as missing"
    ]
    backend.put(KEY, entry())
    assert backend.get(KEY).entry.token == TOKEN


def test_a_value_that_decrypts_and_is_no_token_is_a_miss(backend_of, inside):
    backend = backend_of()
    backend.put(KEY, entry())
    (name,) = inside.keys("*")
    seal = backend._keyring.now().common
    for data in ({}, {"until": "x", "lifetime": 1}, {"until": 10**15, "lifetime": 3600, "token": 5}):
        inside.set(name, seal.close(data, name.decode()))
        assert backend.get(KEY).entry is None
    assert backend.undecryptable == 0


def test_neither_the_backend_nor_its_errors_show_the_secret(redis_url):
    url = redis_url.replace("//", "//user:canary-password@")
    backend = opened_store(plan_of(url, time.time, time.monotonic), Secrets(SECRET))
    with pytest.raises(Unavailable, match="it refused the user or the password") as caught:
        backend.put(KEY, entry())
    exc = caught.value
    assert exc.__cause__ is None
    assert exc.__context__ is None
    ours = exc.__traceback__.tb_next  # the test's own frame knows everything
    text = "".join(traceback.TracebackException(type(exc), exc, ours, capture_locals=True).format())
    for word in ("canary-password", SECRET, TOKEN):
        assert word not in text
        assert word not in backend.label + repr(vars(backend))
    backend.close()


# The lock


def test_one_has_the_lock_until_he_releases_it(backend_of):
    one, other = backend_of(), backend_of()
    held = one.lock(KEY)
    assert other.lock(KEY) is None
    assert one.lock(KEY) is None
    assert other.lock(KEY + "?") is not None
    held.release()
    assert other.lock(KEY) is not None


def test_a_lease_ends_by_itself_unless_it_is_renewed(backend_of, inside):
    held = backend_of().lock(KEY)
    (name,) = inside.keys("*:lock")
    inside.pexpire(name, 50)
    assert held.renew()
    assert inside.pttl(name) > LEASE * 1000 - 2000


def test_a_lost_lock_stays_with_its_new_holder(backend_of, inside):
    one, other = backend_of(), backend_of()
    lost = one.lock(KEY)
    inside.flushall()
    held = other.lock(KEY)
    assert not lost.renew()
    lost.release()
    assert one.lock(KEY) is None
    assert held.renew()


def test_the_lock_does_not_tell_the_machine(backend_of, inside):
    import uuid

    backend_of().lock(KEY)
    (name,) = inside.keys("*:lock")
    assert f"{uuid.getnode():012x}".encode() not in inside.get(name)


def test_the_lock_is_the_same_whichever_secret_worked(backend_of):
    assert backend_of("new", "old").lock(KEY) is not None
    assert backend_of("new", "old", worked="old").lock(KEY) is None


# What is told


def test_a_failure_reaches_those_who_wait_and_is_over_with_the_next_token(backend_of):
    backend = backend_of()
    failure = Failure("no", "invalid_scope", codes=(70011,), status_code=400)
    backend.put_failure(KEY, failure, 30)
    found = backend_of().get(KEY)
    assert (found.failure.message, found.failure.codes) == ("no", (70011,))
    assert found.failure_age < 5
    backend.put(KEY, entry())
    assert backend.get(KEY).failure is None


def test_a_failure_leaves_a_token_in_place(backend_of):
    backend = backend_of()
    backend.put(KEY, entry())
    backend.put_failure(KEY, Failure("no", "temporarily_unavailable"), 30)
    seen = backend.get(KEY)
    assert seen.entry.token == TOKEN
    assert seen.failure is not None


# Its settings


def test_it_is_not_called_before_it_is_needed():
    opened_store(plan_of("redis://127.0.0.1:1/0", time.time, time.monotonic), Secrets(SECRET)).close()


def test_a_password_in_a_url_needs_no_more_than_percent_encoding():
    settings = validate({"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET})
    assert settings.token_cache.kind == "memory"
    for bad in ("redis://u:a[b@h:1/0", "redis://u:p@h:1/0?ssl_cert_reqs=none", "http://h", "redis://h:99999"):
        wrong = validate({"client_id": CLIENT, "client_secret": SECRET, "token_cache": {"url": bad}})
        assert any(item.path == "token_cache.url" for item in wrong.problems), bad
        assert bad not in str(wrong.problems)


def test_a_file_that_holds_no_url_is_told_at_once(tmp_path):
    path = tmp_path / "url"
    path.write_text("canary://nowhere")
    fields = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET}
    settings = validate({**fields, "token_cache": {"kind": "redis", "url": {"file": str(path)}}})
    (problem,) = blueprint_of(settings, Reader({}), None)
    assert (problem.code, problem.path) == ("bad-value", "token_cache.url")
    assert "canary" not in str(problem)
    assert not isinstance(problem, NotFound)


def test_settings_with_a_key_are_not_pickled():
    plan = plan_of("redis://127.0.0.1:1/0", time.time, time.monotonic, key="canary")
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(plan.settings)
