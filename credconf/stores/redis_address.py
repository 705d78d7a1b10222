"""The URL of `token_cache`, taken apart, and the settings that do not go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from credconf.ground.records import field, record
from credconf.references import NotFound

if TYPE_CHECKING:
    from credconf.settings.fields import OneSecret

_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_URL: Final = "token_cache.url"


@record
class Options:
    """The settings of a Redis.

    Attributes:
        timeout: seconds within which each answer must begin.
        cluster: whether it is a Cluster.
        sentinel: the name under which Sentinels know it.
        sentinel_password: of the Sentinels.
        entra_sign_in: whether a token of the credential is its password.
    """

    timeout: float
    cluster: bool
    sentinel: str | None
    sentinel_password: OneSecret | None
    entra_sign_in: bool


@record
class Address:
    """Where a Redis is, and who signs in there.

    Attributes:
        scheme: `redis`, `rediss` or `unix`.
        user: percent-decoded; `None` for the default user.
        password: percent-decoded.
        hosts: each with its port, which may be missing.
        path: of a socket.
        database: its number.
    """

    scheme: str
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)
    hosts: tuple[tuple[str, int | None], ...] = field(repr=False)
    path: str | None = field(repr=False)
    database: int

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "rediss"

    def servers(self, *, sentinels: bool = False) -> list[tuple[str, int]]:
        """The hosts, with the usual port where none is given.

        Args:
            sentinels: whether they are Sentinels.
        """
        usual = _SENTINEL_PORT if sentinels else _PORT
        return [(host, port or usual) for host, port in self.hosts]


def address_of(url: str) -> Address:
    """Take a URL apart that has its format."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")  # a path may contain an `@`
    login, _, host = host.rpartition("@")
    rest = f"{host}{slash}{path}"
    user, _, password = (unquote(part) for part in login.partition(":"))
    if scheme == "unix":
        path, _, database = rest.partition("?db=")
        hosts: tuple[tuple[str, int | None], ...] = ()
    else:
        names, _, database = rest.partition("/")
        path, hosts = "", tuple(_host_of(name) for name in names.split(","))
    return Address(scheme, user or None, password or None, hosts, path or None, int(database or 0))


def _host_of(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, ""
    return host.removeprefix("[").removesuffix("]"), int(port.lstrip("0")) if port else None


def conflict_of(cache: Options, url: str | None) -> NotFound | None:
    """Why the settings of a Redis do not go together; `None` if they do.

    Args:
        cache: the settings.
        url: as far as it can be read now.
    """
    if cache.cluster and cache.sentinel is not None:
        return _conflict("`cluster` and `sentinel` exclude each other", "keep one of them", "token_cache.sentinel")
    if cache.sentinel_password is not None and cache.sentinel is None:
        message = "`token_cache.sentinel` is not set, and `sentinel_password` is"
        hint = "set it to the name of the primary, or remove the password"
        return NotFound("missing", message, hint, path="token_cache.sentinel")
    return None if url is None else _conflict_of_url(cache, address_of(url))


def _conflict_of_url(cache: Options, address: Address) -> NotFound | None:
    is_one = not cache.cluster and cache.sentinel is None
    if address.path is not None and not is_one:
        return _conflict("a socket leads to one Redis, not to a Cluster or a Sentinel", "write rediss://HOST:PORT")
    if len(address.hosts) > 1 and is_one:
        message = "several hosts in `url` need `cluster: true`, or `sentinel: NAME`"
        hint = "add `cluster: true` or `sentinel: NAME` to `token_cache`, or keep one host"
        return NotFound("missing", message, hint, path="token_cache.cluster")
    if cache.cluster and address.database:
        return _conflict("a Cluster has only database 0", "remove the number of the database")
    if cache.entra_sign_in and not address.is_encrypted:
        hint = "write rediss:// and the port that speaks TLS"
        return _conflict("`entra_sign_in` sends a token, which needs TLS", hint)
    if cache.entra_sign_in and address.password is not None:
        hint = "remove the password from the URL, or `entra_sign_in`"
        return _conflict("with `entra_sign_in`, a token is the password", hint)
    return None


def _conflict(message: str, hint: str, path: str = _URL) -> NotFound:
    return NotFound("conflict", message, hint, path=path)
