"""Explains why a URL is refused, and what to write instead. No message shows a part of the URL.

The formats decide what is refused; this module is imported only after that.
"""

from __future__ import annotations

import re
from typing import Final

from .urls import PORT, PROXY_SCHEMES, FormatError, is_host

_SLIP: Final = re.compile(r"(?i)(?:(?:https?|socks[0-9]?[ah]?|rediss?|unix)(?=[:/\\])(?!://)|[:/\\]*//)")
"""A scheme without its `://`, or `//` without a scheme."""
_SLASHES: Final = re.compile(r"(?i)(?:https?|socks[0-9]?[ah]?|rediss?)://+(?=/)")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PAC: Final = re.compile(r"(?i)pac\+|file:|.*(?:\.pac|/wpad\.dat)/?(?:[?#][^@]*)?$")
_ADDRESS: Final = re.compile(r"(\[[^\]]*\]|[^:/?#\\]*)(:[^/?#\\]*)?(.*)", re.DOTALL)
_ENCODED: Final = frozenset("/?#@\\[]")
_EXAMPLE: Final = "http://proxy.example.com:8080"


def url_fault(url: str, what: str, message: str, *, has_path: bool) -> FormatError:
    """Return why an `https://` URL is refused.

    Args:
        url: the URL; the scheme that its format added is no harm.
        what: the subject of the message.
        message: what the format found.
        has_path: whether the URL needs a path.
    """
    bare = url.removeprefix("https://")
    if _SLIP.match(bare) or _SLASHES.match(url):
        return FormatError(f"{what} begins with https:// and a host name", f"write {_example(has_path=has_path)}")
    if url.lower().startswith("http://"):
        return FormatError(message, "write https:// instead of http://")
    if "@" in bare.partition("/")[0]:
        return FormatError(message, "remove what precedes the host, with the `@`")
    if "?" in bare or "#" in bare:
        return FormatError(message, "remove the `?` or `#` and what follows it")
    if not has_path and url.startswith("https://") and bare.partition("/")[2].strip("/"):
        return FormatError(message, "remove the path; if it names the tenant, write that as `tenant_id`")
    return FormatError(message, f"write it as {_example(has_path=has_path)}")


def _example(*, has_path: bool) -> str:
    return "https://idp.example.com/oauth" if has_path else "https://HOST"


def login_fault(login: str) -> FormatError | None:
    """Return which characters of the user or password of a URL need percent-encoding; `None` if none does.

    Args:
        login: what precedes the last `@`, without the scheme.
    """
    found = dict.fromkeys(each for each in login if each in _ENCODED or each.isspace() or not each.isprintable())
    if not found:
        return None
    names = [_name(each) for each in found]
    message = f"the user or password in this URL holds {' and '.join(names)} without percent-encoding"
    pairs = (f"{name} as {_encoded(each)}" for name, each in zip(names, found, strict=True))
    return FormatError(message, f"percent-encode: write {', '.join(pairs)}")


def _name(character: str) -> str:
    if character == " ":
        return "a blank"
    return f"`{character}`" if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"


def _encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))


def proxy_fault(text: str) -> FormatError:
    """Return why the URL of a proxy is refused."""
    if _PAC.match(text):
        message = "this is the address of a proxy auto-configuration (PAC) file, and credconf reads none"
        return FormatError(message, f"write the proxy that the file returns for Entra's host, such as {_EXAMPLE}")
    if _SLIP.match(text) or _SLASHES.match(text):
        message = "the URL of a proxy begins with a scheme, `://` and the host"
        return FormatError(message, f"write all of it, such as {_EXAMPLE}")
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() not in PROXY_SCHEMES:
        message = f"the scheme of a proxy is one of {', '.join(PROXY_SCHEMES)}"
        return FormatError(
            message, f"write {'socks5h' if scheme[1].lower().startswith('socks') else 'http'}://HOST:PORT"
        )
    if text[:1] in {'"', "'"}:
        return FormatError("this is not the URL of a proxy")  # quotes are reported for every setting alike
    login, _, address = text[scheme.end() if scheme is not None else 0 :].rpartition("@")
    return login_fault(login) or _address_fault(address)


def _address_fault(address: str) -> FormatError:
    if any(each.isspace() or not each.isprintable() for each in address):
        return FormatError("the host of a proxy holds no white space or control character", f"write {_EXAMPLE}")
    if address.count(":") > 1 and not address.startswith("["):
        message = "the host of a proxy ends at its first `:`"
        return FormatError(message, "put [ and ] around an IPv6 address; percent-encode a `:` in a password as %3A")
    host, port, rest = _ADDRESS.findall(address)[0]
    if not host:
        return FormatError("the URL of a proxy names no host", f"write it, such as {_EXAMPLE}")
    if port and not re.fullmatch(PORT, port[1:]):
        return FormatError("the port of a proxy is a number from 1 to 65535", f"write it, such as {_EXAMPLE}")
    if rest not in {"", "/"}:
        return FormatError("the URL of a proxy ends after its port", "remove the path and what follows it")
    if not is_host(host):
        return FormatError("the host of a proxy is a name or an address in ASCII", f"write it, such as {_EXAMPLE}")
    return FormatError("this is not the URL of a proxy", f"write it as {_EXAMPLE}")


def store_fault(text: str, message: str) -> FormatError:
    """Return why the URL of a Redis is refused.

    Args:
        text: the URL.
        message: what is expected.
    """
    scheme = _SCHEME.match(text)
    if scheme is None or scheme[1] not in {"redis", "rediss", "unix"} or _SLASHES.match(text):
        return FormatError(message, "write rediss://HOST:PORT/DATABASE")
    login, _, address = text[scheme.end() :].rpartition("@")
    if found := login_fault(login):
        return found
    if "?" in address:
        return FormatError(message, "remove the `?` and what follows it: a Redis has no other options here")
    return FormatError(message, "check the host, the port and the number of the database")
