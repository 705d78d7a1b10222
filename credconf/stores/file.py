"""`token_cache: {kind: file}`: tokens in one file for all processes of a user; `file_store` opens and calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from credconf.settings.declaration import Redirects, Setting, is_switched_off
from credconf.settings.fields import name_in
from credconf.settings.formats import of_pattern

from .settings import Extra, StoreSettings

if TYPE_CHECKING:
    from credconf.references import NotFound

    from .settings import Opening
    from .store import Store

_NAME: Final = of_pattern(
    r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?",
    "a name of a cache is letters, digits, `.`, `_` and `-`, such as billing",
)


class FileSettings(StoreSettings):
    """Tokens are also kept in a file of this user."""

    store: ClassVar = "file"
    summary: ClassVar = "In memory, and in a file of this user that the system encrypts. Needs `credconf[persistent]`."
    extra: ClassVar = Extra("persistent", ("msal_extensions",))
    repair: ClassVar = (
        "Let the directory belong to the user that runs the application, or name another in XDG_CACHE_HOME."
    )

    name: Annotated[
        str,
        name_in(_NAME),
        Setting("The name of the file. Processes of one user share the file of the same name.", ("billing",)),
    ] = "credconf"
    allow_unencrypted_storage: Annotated[
        bool,
        Setting(
            "Write a plain file, readable only by its owner, if the system offers no encryption.",
            (True,),
            redirects=Redirects(keeps=True, unless=is_switched_off),
        ),
    ] = False

    @classmethod
    def lack(cls, cache: StoreSettings) -> NotFound | None:
        """Return why nothing can encrypt the tokens here, if they may not be kept in a plain file."""
        from .file_store import no_encryption  # for those alone who use a file

        assert isinstance(cache, FileSettings)
        return None if cache.allow_unencrypted_storage else no_encryption(cache.name)

    @classmethod
    def open(cls, opening: Opening) -> Store | None:
        """The file that a configuration names.

        Raises:
            ConfigError: the machine has no encryption, and a plain file is not allowed.
        """
        from .file_store import opened  # for those alone who use a file

        cache = opening.settings
        assert isinstance(cache, FileSettings)
        return opened(cache.name, opening, allow_plain=cache.allow_unencrypted_storage)
