"""Which hosts are asked directly, and how a proxy is named in a message.

`requests.utils.should_bypass_proxies` is no help: it looks at the environment and, on some systems, at the system's
settings, and changes `os.environ` while it works. A proxy was decided by the configuration, with its origin.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}


def bypasses(url: str, no_proxy: str | None) -> bool:
    """Whether `no_proxy` takes the host of `url` out.

    Entries are divided by commas or white space: `*`, a host name, which covers its subdomains (with or without a
    leading dot), an address or a network, each with an optional `:port`.
    """
    if not no_proxy:
        return False
    host, port = _host_and_port(url)
    host = host.rstrip(".")
    return any(_matches(entry, host, port) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def shown(proxy: str) -> str:
    """The proxy's host and port, without its user and password."""
    host, port = _host_and_port(proxy if "://" in proxy else f"http://{proxy}")
    if not host:
        return "(its address can't be read)"
    return f"{host}:{port}" if port else host


def host_of(url: str) -> str:
    """The host, with a port that is not the usual one."""
    host, port = _host_and_port(url)
    usual = _PORTS.get(url.partition(":")[0].lower())
    if not host:
        return "the server"
    return host if port == usual else f"{host}:{port}"


def _host_and_port(url: str) -> tuple[str, int | None]:
    """Without an exception for a broken address: whoever connects says what is wrong with it."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", None


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    if _is_network(entry):
        return _is_within(host, entry)
    name, separator, number = entry.rpartition(":")
    if separator and number.isdecimal():
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]")
    if _is_network(entry):
        return _is_within(host, entry)
    entry = entry.lstrip(".").rstrip(".")
    # At a label's boundary: `example.com` says nothing about `notexample.com`.
    return bool(entry) and (host == entry or host.endswith("." + entry))


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:  # the host is a name
        return False
