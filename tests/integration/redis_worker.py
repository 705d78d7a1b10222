"""One process of a fleet: for each line that it reads it gets a token, and says what came of it."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time

import credconf


def _say(**answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    config, scope = json.loads(sys.argv[1]), sys.argv[2]
    with credconf.build(config) as credential:
        _say(ready=True)
        for line in sys.stdin:
            tenant = line.strip() or None
            began = time.perf_counter()
            token = credential.get_token(scope, tenant_id=tenant)
            taken = time.perf_counter() - began
            digest = hashlib.sha256(token.token.encode()).hexdigest()
            _say(token=digest, left=token.expires_on - time.time(), taken=taken)


if __name__ == "__main__":
    _main()
