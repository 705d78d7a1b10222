"""The parts of an engine, and how the store of its tokens is opened."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Protocol

from credconf.entra.request import Surroundings
from credconf.ground.records import field, record, replace
from credconf.stores import Opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.entra.http import HttpClient, TransportOptions
    from credconf.entra.proof import Proof, Sealed
    from credconf.entra.request import Identity
    from credconf.ground.log import Log
    from credconf.kinds import Kind
    from credconf.references import Reader
    from credconf.stores.store import Store


@record
class Blueprint:
    """Everything that an engine is made of.

    Attributes:
        settings: the settings of its kind.
        identity: the texts of the settings, with references resolved.
        reader: reads the secret when it is needed.
        transport: how requests are sent; unused if `http_client` is given.
        http_client: the application's own client.
        surroundings: the variables of the machine that count.
        clock: the wall clock, in seconds of Unix time.
        monotonic: the monotonic clock, of deadlines. A token expires by whichever clock is first.
        random: gives a number from 0 to 1, which spreads refreshes.
        sleep: waits for some seconds, while another process requests a token.
    """

    settings: Kind
    identity: Identity
    reader: Reader
    transport: TransportOptions
    http_client: HttpClient | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def portable(self) -> tuple[Any, ...]:
        """Return what another process needs to create the same engine. It reads secrets by their references.

        Raises:
            TypeError: the settings hold a secret, or the application has given its own client.
        """
        if self.http_client is not None:
            message = "a credential with an http_client of its own can't be pickled"
            raise TypeError(message)
        transport = replace(self.transport, proxy=None)
        reader = self.reader
        return self.settings, tuple(reader.allow), reader.dotenv_file, transport, self.surroundings, reader.pinned


class Secrets(Protocol):
    """The parts of a credential that a store needs: its log, and the proofs that encrypt what is shared."""

    log: Log

    @property
    def worked(self) -> Sealed | None:
        """The proof that was accepted last, if any."""
        ...

    def listed(self) -> list[Proof]:
        """The proofs that can be read now, in their order."""
        ...


def opened_store(plan: Blueprint, secrets: Secrets) -> Store | None:
    """The store of a blueprint's tokens; `None` if they are kept in memory only.

    Raises:
        ConfigError: the store can't be used on this machine.
    """
    return plan.settings.token_cache.open(opening_of(plan, secrets))


def opening_of(plan: Blueprint, secrets: Secrets) -> Opening:
    """Return the arguments with which the store of a blueprint is opened."""
    verify = plan.transport.verify
    return Opening(
        settings=plan.settings.token_cache,
        identity=plan.identity,
        reader=plan.reader,
        certificates=verify if isinstance(verify, str) else None,
        cache_home=plan.surroundings.cache_home,
        clock=plan.clock,
        monotonic=plan.monotonic,
        log=secrets.log,
        worked=lambda: secrets.worked,
        listed=secrets.listed,
    )
