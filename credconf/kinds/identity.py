"""Who a configuration is, once its references are read: the texts that entra needs, and which may be shown."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from credconf.config.caches import redis_url
from credconf.config.files import unusable_bundle
from credconf.entra import clouds
from credconf.problems.printable import printable
from credconf.records import field, record
from credconf.references import EnvReference, FileReference, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credconf.config.settings import CommonSettings
    from credconf.references import Reader


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

_Field: TypeAlias = str | SecretStr | EnvReference | FileReference | None


def identify(settings: CommonSettings, reader: Reader) -> Identity | list[tuple[str, NotFound]]:
    """Read the references among the texts of a configuration, or say (path, why) which can't be used."""
    failures: list[tuple[str, NotFound]] = []
    hidden: set[str] = set()

    def text(path: str, value: _Field, rule: Callable[[str], str] | None = None) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        found = reader.text(value)
        if isinstance(found, str) and rule is not None:
            found = by_rule(found.strip(), value.label, rule)
        if isinstance(found, NotFound):
            failures.append((path, found))
            return None
        if not isinstance(value, EnvReference):
            hidden.add(path)
        return found.strip()

    cache = settings.token_cache
    redis = cache.kind == "redis"
    identity = Identity(
        client_id=text("client_id", settings.client_id) or "",
        tenant_id=text("tenant_id", settings.tenant_id, clouds.tenant),
        authority=text("authority", settings.authority, clouds.authority),
        oidc_authority=text("oidc_authority", settings.oidc_authority, clouds.oidc_authority),
        region=text("region", settings.region, clouds.region),
        proxy=text("http.proxy", settings.http.proxy, clouds.proxy),
        cache_url=text("token_cache.url", cache.url if redis else None, redis_url),
        hidden=frozenset(hidden),
    )
    key = reader.text(cache.key) if redis and isinstance(cache.key, EnvReference | FileReference) else None
    failures += [("token_cache.key", key)] if isinstance(key, NotFound) else []
    return failures or identity


def by_rule(text: str, label: str, rule: Callable[[str], str]) -> str | NotFound:
    """A text that was read, as its rule writes it, or what is wrong with it; not what is in it."""
    try:
        return rule(text)
    except clouds.BadName as exc:
        return NotFound("bad-value", f"{label}: {exc}")
    except ValueError:  # of a library, and it holds the text
        return NotFound("bad-value", f"{label}: this is not a usable value")


def unusable_certificates(settings: CommonSettings) -> NotFound | None:
    """Why the certificates of `http.ca_bundle` can't be read."""
    path = settings.http.ca_bundle
    why = None if path is None else unusable_bundle(path)
    if path is None or why is None:
        return None
    return NotFound(why.code, f"{printable(path)} {why.reason}", "check the path")
