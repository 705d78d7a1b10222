"""The declaration of a token store, the settings that all stores share, and the default store: memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from credconf.ground.records import record
from credconf.settings.declaration import Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credconf.entra.proof import Proof, Sealed
    from credconf.entra.request import Identity
    from credconf.ground.log import Log
    from credconf.problems.failure import Failure
    from credconf.references import NotFound, Reader

    from .store import Entry, Store


@record
class Extra:
    """The requirements of a store.

    Attributes:
        name: of the extra of credconf.
        packages: of it that are imported.
    """

    name: str
    packages: tuple[str, ...]


@record
class Opening:
    """The arguments with which a store is opened.

    Attributes:
        settings: of `token_cache`.
        identity: the texts of the configuration, references read.
        reader: reads the key of the store, when it is needed.
        certificates: the path of the certificates to trust; `None` for the machine's own.
        cache_home: the directory of this user's caches, where a variable names it.
        clock: the wall clock.
        monotonic: the monotonic clock.
        log: of the engine.
        worked: the proof that worked last; `None` where none has.
        listed: the proofs that can be read now, in their order.
        token: requests a token for a scope from Entra: the sign-in to a store can't be looked for in that store.
    """

    settings: StoreSettings
    identity: Identity
    reader: Reader
    certificates: str | None
    cache_home: str | None
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    log: Log
    worked: Callable[[], Sealed | None]
    listed: Callable[[], list[Proof]]
    token: Callable[[str], Entry | Failure]


class StoreSettings:
    """The settings that all stores share; a store adds its own. `TokenCacheSettings` makes one model of all of them.

    Attributes:
        store: the name of the store: a value of `kind`.
        summary: one sentence, for editors.
        extra: what must be installed.
        required: the settings without which it can't be used.
        false_beside: by setting, another one that must be false where the first is given. `conflict` judges it; an
            editor's schema derives from it.
        repair: what `credconf doctor` advises where it can't be used.
    """

    store: ClassVar[str]
    summary: ClassVar[str]
    extra: ClassVar[Extra | None] = None
    required: ClassVar[tuple[str, ...]] = ()
    false_beside: ClassVar[Mapping[str, str]] = {}
    repair: ClassVar[str | None] = None

    kind: str
    max_entries: Annotated[
        int,
        Field(ge=1, le=10_000_000),
        Setting(
            "The maximum number of tokens in memory, and of users' tokens. The least recently used are removed first.",
            (1_000,),
        ),
    ] = 100_000

    @classmethod
    def lack(cls, cache: StoreSettings) -> NotFound | None:  # noqa: ARG003 - most stores need nothing more
        """Return why `open()` would raise on this machine; `None` if it would not. It makes no file.

        Args:
            cache: the settings of `token_cache`.
        """
        return None

    @classmethod
    def conflict(cls, cache: StoreSettings, texts: Mapping[str, str | None]) -> NotFound | None:  # noqa: ARG003 - likewise
        """Return why its settings do not go together; `None` if they do.

        Args:
            cache: the settings of `token_cache`.
            texts: by path of the setting, as far as they can be read.
        """
        return None

    @classmethod
    def open(cls, opening: Opening) -> Store | None:
        """Return the place of shared tokens; `None` for the memory of this process only.

        Raises:
            ConfigError: the store can't be used on this machine.
        """
        raise NotImplementedError


class MemorySettings(StoreSettings):
    """Tokens are kept in the memory of this process."""

    store: ClassVar = "memory"
    summary: ClassVar = "In the memory of this process only."

    @classmethod
    def open(cls, opening: Opening) -> Store | None:  # noqa: ARG003 - nothing is shared
        """Nothing is shared."""
        return None
