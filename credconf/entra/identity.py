"""Who a configuration is, once its references are read: the texts that entra needs, and which may be shown."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from credconf.ground.records import field, record
from credconf.problems.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator


@record
class Identity:
    """The texts of a configuration after its references were read.

    Attributes:
        client_id: of the application.
        tenant_id: `None` for a generic OpenID Connect server.
        authority: `https://HOST[:PORT]`, `None` for a generic server.
        oidc_authority: URL of a generic server.
        region: a region's name or `tryautodetect`.
        proxy: URL; may hold a password.
        cache_url: of the Redis that holds tokens, if one does; may hold a password.
        hidden: the fields that came from a file: `describe()` and errors do not show them, because a configuration that
            somebody else wrote could name any file.
    """

    client_id: str
    tenant_id: str | None
    authority: str | None
    oidc_authority: str | None
    region: str | None
    proxy: str | None = field(repr=False)
    hidden: frozenset[str] = frozenset()
    cache_url: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """As messages may show it: a traceback with locals prints it."""
        return f"<identity of client {self.shown('client_id')}>"

    def shown(self, name: str) -> str | None:
        """A field as messages may show it, in one line and without what would move a terminal's cursor."""
        value = getattr(self, name)
        if value is None:
            return None
        return "(hidden: read from a file)" if name in self.hidden else printable(value)

    def concealed(self) -> list[str]:
        """What no message may show: the texts that came from a file, the host of such a URL, and the proxy's URL."""
        texts = [getattr(self, _ATTRIBUTES.get(name, name)) or "" for name in sorted(self.hidden)]
        hosts = [_host_in(text) for text in texts if "://" in text]
        return [text for text in (*texts, *hosts, self.proxy, self.cache_url) if text]

    def passwords(self) -> list[str]:
        """Those in the URLs of the proxy and the Redis: as written, as they are, and as HTTP's Basic scheme."""
        return [text for url in (self.proxy, self.cache_url) if url for text in _passwords_in(url)]


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


_ATTRIBUTES: Final = {"http.proxy": "proxy", "token_cache.url": "cache_url"}
