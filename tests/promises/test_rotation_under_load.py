"""Secrets that are replaced while threads and coroutines need tokens all the time, over HTTPS.

A token lives for a few ticks of a fast clock, so that requests never stop. `ROTATION_SEED` repeats a run's choices
(not its timing), `ROTATION_SECONDS` makes it longer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import subprocess
import threading
import time

import pytest

import credconf
from credconf.testing import FakeEntra, make_certificate
from tests.contract.faces import ASYNC, SYNC, engine_of
from tests.promises.answering import Threads

# Read at once: the tests' environment is emptied of such things.
SEED = int(os.environ.get("ROTATION_SEED") or random.SystemRandom().randrange(10**9))
SECONDS = float(os.environ.get("ROTATION_SECONDS") or 4)
SPEED, LIFE = 20, 3  # the seconds that a token lives are hundredths of ours
THREADS, LOOPS, COROUTINES = 50, 2, 100
LEAST, PATIENCE = 3, 20  # rotations; seconds for them on a slow machine
SCOPES = ["https://storage.azure.com/.default", "https://vault.azure.net/.default"]


def fast():
    return time.time() * SPEED


def dice(seed):
    return random.Random(seed)  # noqa: S311 - choices that can be repeated, no secrets


class Renamed:
    """The file is replaced by another one, in one step."""

    refusals = len(SCOPES)  # each request that was under way with the old secret when it ended, and no other

    def __init__(self, directory):
        self.path = directory / "secret"

    def write(self, text):
        self.path.with_name("temporary").write_bytes(text)
        self.path.with_name("temporary").replace(self.path)

    def wait_until_whole(self):
        """It always is."""


class Linked(Renamed):
    """As Kubernetes does it: a link to the directory of a version is swapped."""

    def __init__(self, directory):
        self.directory, self.version = directory, 0
        self.path = directory / "secret"
        self.path.symlink_to("..data/secret")

    def write(self, text):
        self.version += 1
        (self.directory / f"..{self.version}").mkdir()
        (self.directory / f"..{self.version}" / "secret").write_bytes(text)
        (self.directory / "..data_tmp").symlink_to(f"..{self.version}")
        (self.directory / "..data_tmp").replace(self.directory / "..data")


class InPlace(Renamed):
    """The file is emptied and written in two steps; a reader in between gets a part.

    Another process writes it, as in production: a thread of the test would wait for 250 others between the steps. A
    starved writer may leave the part there for any time, so no request is answered before the file is whole.
    """

    refusals = 2 * len(SCOPES)  # as above, and each request with the part

    def __init__(self, directory):
        super().__init__(directory)
        self.writing = threading.Lock()

    def write(self, text):
        steps = 'printf %s "$1" >"$0"; sleep 0.005; printf %s "$2" >>"$0"'
        with self.writing:
            subprocess.run(["sh", "-c", steps, str(self.path), text[:10], text[10:]], check=True)

    def wait_until_whole(self):
        with self.writing:
            pass


class Secrets:
    """The secrets of one application, one after the other."""

    def __init__(self, entra, directory):
        self.registration = entra.register(secrets=[])
        self.fields = entra.config(client_id=self.registration.client_id, client_secret=None)
        self.old = None

    def settings(self, path):
        return {**self.fields, "client_secret": {"file": str(path)}}

    def next(self):
        self.old = self.registration.secrets
        return self.registration.rotate_secret(overlap=True).encode()

    def end(self):
        for secret in self.old:
            self.registration.revoke_secret(secret)


class Certificates(Secrets):
    """Its certificates, made in advance."""

    def __init__(self, entra, directory):
        super().__init__(entra, directory)
        self.made = [make_certificate(directory / f"{number}.pem") for number in range(12)]
        self.number, self.directory = 0, directory

    def settings(self, path):
        return {**self.fields, "client_certificate": {"file": str(path)}}

    def next(self):
        self.old, new = self.made[self.number - 1], self.made[self.number]
        self.registration.add_certificate(new.pem)
        self.number += 1
        return (self.directory / f"{self.number - 1}.pem").read_bytes()

    def end(self):
        self.registration.remove_certificate(self.old.pem)


class Load:
    """Callers of both faces, until the time is over."""

    def __init__(self, fields):
        engine = engine_of(
            {**fields, "http": {**fields["http"], "total_timeout": 30 * SPEED}}, clock=fast, monotonic=fast
        )
        self.sync, self.coroutines = SYNC.on(engine).credential, ASYNC.on(engine).credential
        self.calls, self.failed = 0, []
        self.over = time.monotonic() + SECONDS
        self.rotations = 0

    def goes_on(self):
        """Until the time is over, or three rotations are, on a machine that is slow; but not for ever."""
        now = time.monotonic()
        return now < self.over or (self.rotations < LEAST and now < self.over + PATIENCE)

    def choices(self, number):
        chance = dice(f"{SEED} {number}")
        while self.goes_on():
            yield chance.choice(SCOPES), chance.uniform(0.002, 0.03)
            self.calls += 1

    def thread(self, number):
        for scope, pause in self.choices(number):
            try:
                self.sync.get_token(scope)
            except credconf.AuthenticationError as error:
                self.failed.append(error.message)
            time.sleep(pause)

    async def coroutine(self, number):
        for scope, pause in self.choices(number):
            try:
                await self.coroutines.get_token(scope)
            except credconf.AuthenticationError as error:
                self.failed.append(error.message)
            await asyncio.sleep(pause)

    def loop(self, first):
        async def main():
            await asyncio.gather(*(self.coroutine(first + number) for number in range(COROUTINES)))

        asyncio.run(main())

    def rotate(self, entra, proofs, file):
        """Replace the proof again and again; how many requests were refused because of each replacement."""
        chance, refusals = dice(SEED), []
        while time.monotonic() < self.over - 0.3 or (self.rotations < LEAST and self.goes_on()):
            before, accepted = refused(entra), granted(entra)
            file.write(proofs.next())
            proofs.end()
            # A request may meet one rotation, but hardly two: there is no rotation before the new secret is in use.
            while granted(entra) < accepted + 3 * len(SCOPES) and self.goes_on():
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.3))
            refusals.append(refused(entra) - before)
            self.rotations += 1
        return refusals

    def close(self):
        self.sync.close()
        asyncio.run(self.coroutines.close())


def refused(entra):
    return sum(request.status != 200 for request in entra.requests)


def granted(entra):
    return sum(request.status == 200 for request in entra.requests)


@pytest.mark.parametrize("proofs", [Secrets, Certificates])
@pytest.mark.parametrize("file", [Renamed, Linked, InPlace])
def test_no_call_fails_while_the_proof_is_replaced_and_the_old_one_ended(tmp_path, file, proofs, caplog):
    caplog.set_level(logging.CRITICAL, "credconf")
    file = file(tmp_path)
    with FakeEntra() as entra:
        entra.tokens(expires_in=LIFE)
        entra.before_token = lambda _: file.wait_until_whole()
        proofs = proofs(entra, tmp_path)
        file.write(proofs.next())
        load = Load(proofs.settings(file.path))
        threads = [lambda number=number: load.thread(number) for number in range(THREADS)]
        loops = [lambda first=1000 * number: load.loop(first) for number in range(1, LOOPS + 1)]
        refusals, *outcomes = Threads(lambda: load.rotate(entra, proofs, file), *threads, *loops).joined()
        load.close()
    said = f"ROTATION_SEED={SEED}: {load.calls} calls, {entra.count()} requests, refused at each rotation {refusals}"
    assert not load.failed, f"{said}: {load.failed[0]}"
    assert not any(outcomes), f"{said}: {[repr(each) for each in outcomes if each]}"
    assert max(refusals) <= file.refusals, said
    assert load.calls > 500, said
    assert len(refusals) >= LEAST, said
    logging.getLogger("rotation").critical(said)


def test_no_call_fails_while_secrets_move_along_a_list(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).write_text("nothing yet")
    with FakeEntra() as entra:
        entra.tokens(expires_in=LIFE)
        registration = entra.register()
        (tmp_path / "old").write_text(registration.client_secret)
        fields = entra.config(client_id=registration.client_id)
        fields["client_secret"] = [{"file": str(tmp_path / name)} for name in ("new", "old")]
        load = Load(fields)

        def rotate():
            while time.monotonic() < load.over - 0.5:
                old = registration.client_secret
                (tmp_path / "temporary").write_text(old)
                (tmp_path / "temporary").replace(tmp_path / "old")
                (tmp_path / "temporary").write_text(registration.rotate_secret(overlap=True))
                (tmp_path / "temporary").replace(tmp_path / "new")
                registration.revoke_secret(old)
                time.sleep(0.8)

        Threads(rotate, *(lambda number=number: load.thread(number) for number in range(THREADS))).joined()
        load.close()
        assert not load.failed, f"ROTATION_SEED={SEED}: {load.failed[0]}"
        assert refused(entra) <= len(SCOPES) * 10
