"""A WSGI application whose answer is the worker's process id and a digest of its token.

With `--preload` the credential is made before gunicorn forks. If WARM is set, it then also fetches a token before the
fork, and before gevent patches the standard library.
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
