"""Everything that an engine is made of."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from credconf.entra.identity import Surroundings
from credconf.ground.records import field, record, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.entra.http import HttpClient, TransportOptions
    from credconf.entra.identity import Identity
    from credconf.kinds import Kind
    from credconf.references import Reader


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
