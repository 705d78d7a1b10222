"""What the machine, not the configuration, says: proxies, certificates, the region, where caches are.

These are the variables that `requests`, curl and MSAL know. They are read here, once, with their origin: the HTTP
session itself trusts no environment.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from credconf.entra.identity import Surroundings
from credconf.ground.files import absolute
from credconf.problems.problem import Origin

from .layers import Layer, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
NO_PROXIES = ("no_proxy", "NO_PROXY")
CACHE_HOMES = ("LOCALAPPDATA",) if sys.platform == "win32" else ("XDG_CACHE_HOME",)


def surroundings(environ: Mapping[str, str]) -> Surroundings:
    """What the environment says."""
    no_proxy = next((environ[name] for name in NO_PROXIES if environ.get(name)), None)
    homes = [environ.get(name, "") for name in CACHE_HOMES]
    home = next((path for path in homes if os.path.isabs(path)), None)  # a relative one is to be ignored, says XDG
    return Surroundings(no_proxy, environ.get("REGION_NAME") or None, home)


def conventional(environ: Mapping[str, str]) -> Layer:
    """The lowest layer above the defaults: a proxy and a bundle of certificates from the usual variables."""
    layer = Layer("environment")
    for path, names in (("http.proxy", PROXIES), ("http.ca_bundle", BUNDLES)):
        name = next((name for name in names if environ.get(name, "").strip()), None)
        if name is not None:
            origin = Origin("environment", name)
            text = environ[name] if path == "http.proxy" else absolute(environ[name])
            layer.values[path] = Value(text, origin, origin)
    return layer
