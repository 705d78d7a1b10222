"""The identity that requests tokens, with its references read, and the network settings of the machine."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from credconf.ground.records import field, record
from credconf.problems.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@record
class Surroundings:
    """What has no setting of its own.

    Attributes:
        no_proxy: hosts that are reached without a proxy, as `NO_PROXY` lists them.
        region: of the machine, as Azure's hosts tell it in `REGION_NAME`; for `region: tryautodetect`.
        cache_home: the directory of this user's caches, if a variable names it.
    """

    no_proxy: str | None = None
    region: str | None = None
    cache_home: str | None = None


@record
class Identity:
    """The texts of a configuration after its references were read.

    Attributes:
        texts: by path of the setting; `None` where it is not given.
        hidden: the settings that came from a file or a program: `describe()` and errors do not show them, because the
            author of a configuration could name any file.
        urls: the settings whose texts are URLs that may hold a password, such as the proxy's.
    """

    texts: Mapping[str, str | None] = field(repr=False)
    hidden: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()

    @property
    def client_id(self) -> str:
        """Of the application."""
        return self.texts.get("client_id") or ""

    @property
    def tenant_id(self) -> str | None:
        """`None` for a generic OpenID Connect server."""
        return self.texts.get("tenant_id")

    @property
    def authority(self) -> str | None:
        """`https://HOST[:PORT]`, `None` for a generic server."""
        return self.texts.get("authority")

    @property
    def oidc_authority(self) -> str | None:
        """URL of a generic server."""
        return self.texts.get("oidc_authority")

    @property
    def region(self) -> str | None:
        """A region's name or `tryautodetect`."""
        return self.texts.get("region")

    @property
    def proxy(self) -> str | None:
        """URL of the proxy."""
        return self.texts.get("http.proxy")

    def __repr__(self) -> str:
        """As messages may show it: a traceback with locals prints it."""
        return f"<identity of client {self.shown('client_id')}>"

    def shown(self, name: str) -> str | None:
        """A field as messages may show it, in one line and without what would move a terminal's cursor."""
        value = self.texts.get(name)
        if value is None:
            return None
        return "(hidden: read from a file)" if name in self.hidden else printable(value)

    def concealed(self) -> list[str]:
        """What no message may show: the texts that came from a file, the host of such a URL, and `urls`."""
        texts = [self.texts.get(path) or "" for path in sorted(self.hidden)]
        hosts = [_host_in(text) for text in texts if "://" in text]
        return [text for text in (*texts, *hosts, *self._urls()) if text]

    def passwords(self) -> list[str]:
        """Those in the URLs: as written, as they are, and as HTTP's Basic scheme."""
        return [text for url in self._urls() for text in _passwords_in(url)]

    def _urls(self) -> list[str]:
        return [text for path in sorted(self.urls) if (text := self.texts.get(path))]


def _passwords_in(url: str) -> Iterator[str]:
    try:
        user, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    except ValueError:
        return
    if password:
        basic = f"{unquote(user)}:{unquote(password)}".encode(errors="replace")
        yield from (password, unquote(password), base64.b64encode(basic).decode())


def _host_in(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:  # a client id may be any text
        return ""
