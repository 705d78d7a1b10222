"""Everything that an engine is made of."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Protocol

from credconf.entra.identity import Surroundings
from credconf.ground.records import field, record, replace
from credconf.stores import Opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.entra.http import HttpClient, TransportOptions
    from credconf.entra.identity import Identity
    from credconf.entra.proof import Proof, Sealed
    from credconf.ground.log import Log
    from credconf.kinds import Kind
    from credconf.references import Reader
    from credconf.stores.store import Store


@record
class Blueprint:
    """Everything that an engine is made of.

    Attributes:
        settings: of its kind.
        identity: the texts of the settings, references read.
        reader: reads the secret when it is needed.
        transport: how requests are sent; unused where `http_client` is given.
        http_client: the application's own.
        surroundings: what the machine says.
        clock: the wall clock, in seconds of Unix time.
        monotonic: seconds that nobody sets; the clock of deadlines. What either clock says of a token counts.
        random: from 0 to 1, spreads refreshes.
        sleep: waits for some seconds, where another process asks.
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
        """What another process needs to make the same engine; secrets are found again by their references.

        Raises:
            TypeError: the settings hold a secret, or requests are sent by a client of the application's.
        """
        if self.http_client is not None:
            message = "a credential with an http_client of its own can't be pickled"
            raise TypeError(message)
        transport = replace(self.transport, proxy=None)
        reader = self.reader
        return self.settings, tuple(reader.allow), reader.dotenv_file, transport, self.surroundings, reader.pinned


class Secrets(Protocol):
    """What a store needs to know of the credential: its log, and the proofs that encrypt what is shared."""

    log: Log

    @property
    def worked(self) -> Sealed | None:
        """The proof that worked last; `None` where none has."""
        ...

    def listed(self) -> list[Proof]:
        """The proofs that can be read now, in their order."""
        ...


def opened_store(plan: Blueprint, source: Secrets) -> Store | None:
    """Where the tokens of a blueprint are shared; `None` for memory alone.

    Raises:
        ConfigError: the store can't be used on this machine.
    """
    return plan.settings.token_cache.open(opening_of(plan, source))


def opening_of(plan: Blueprint, source: Secrets) -> Opening:
    """What the store of a blueprint is opened with."""
    verify = plan.transport.verify
    return Opening(
        settings=plan.settings.token_cache,
        identity=plan.identity,
        reader=plan.reader,
        certificates=verify if isinstance(verify, str) else None,
        cache_home=plan.surroundings.cache_home,
        clock=plan.clock,
        monotonic=plan.monotonic,
        log=source.log,
        worked=lambda: source.worked,
        listed=source.listed,
    )
