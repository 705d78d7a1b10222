"""What gunicorn serves: a WSGI application that says which worker answers, and with which token, as a digest.

Its credential is made before gunicorn forks, where that loads the application first (`--preload`), and has then
fetched a token, too, where WARM is set: with the standard library as it was before any patch.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import credconf
from tests.promises.workers.world import OTHER_SCOPE, SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable

with open(os.environ["FIELDS"], encoding="utf-8") as _file:
    credential = credconf.from_config(path=False, env_file=False, environ={}, **json.load(_file))
if os.environ.get("WARM"):
    credential.get_token(OTHER_SCOPE)


def application(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer any request."""
    token = credential.get_token(SCOPE).token
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {hashlib.sha256(token.encode()).hexdigest()}".encode()]
