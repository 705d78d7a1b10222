"""The program `az` of `FakeAzureCli`. It runs without this package, so it imports only the standard library.

It is in the folder `bin`. Beside that folder are `state.json`, which holds the user and the lifetime of tokens,
`standing.json` and `counted` with the faults, and `calls`, where it records each call as a file.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
RECORDED = ("AZURE_", "HTTP_PROXY", "HTTPS_PROXY")


def main(arguments: list[str]) -> int:
    """Record a call and answer it."""
    state = content_of(HOME / "state.json")
    fault = next_fault()
    record(arguments)  # after the fault was taken: a test that sees the call may end it
    time.sleep(fault.get("seconds", 0))
    if "exit_code" not in fault:
        fault = answer(arguments, state)
    sys.stdout.write(fault.get("stdout", ""))
    sys.stderr.write(fault.get("stderr", ""))
    return int(fault["exit_code"])


def record(arguments: list[str]) -> None:
    """Write each call to a separate file: calls may run at the same time."""
    call = {
        "arguments": arguments,
        "cwd": os.getcwd(),
        "stdin_closed": stdin_is_closed(),
        "environ": {name: value for name, value in os.environ.items() if name.startswith(RECORDED)},
    }
    name = f"{time.time_ns():020}-{uuid.uuid4().hex}"
    draft = HOME / "calls" / f".{name}"
    draft.write_text(json.dumps(call), "utf-8")
    draft.rename(HOME / "calls" / f"{name}.json")


def stdin_is_closed() -> bool:
    """Whether nothing can be read: the input is closed, or the null device."""
    try:
        return os.path.samestat(os.fstat(0), os.stat(os.devnull))
    except OSError:
        return True


def next_fault() -> dict[str, Any]:
    """The fault for this call. A fault that counts its calls is a file for each; taking one removes it."""
    for path in sorted((HOME / "counted").glob("*.json")):
        mine = HOME / f"taken-{uuid.uuid4().hex}"
        with contextlib.suppress(FileNotFoundError):  # another call was faster
            path.rename(mine)
            return content_of(mine)
    with contextlib.suppress(FileNotFoundError):
        return content_of(HOME / "standing.json")
    return {}


def content_of(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def answer(arguments: list[str], state: dict[str, Any]) -> dict[str, Any]:
    """What `az` writes, and its exit code."""
    if arguments[:2] != ["account", "get-access-token"]:
        return refusal(f"'{' '.join(arguments[:2])}' is misspelled or not recognized by the system.", 2)
    options = dict(zip(arguments[2::2], arguments[3::2], strict=False))
    if len(arguments) % 2 or options.keys() - {"--output", "--resource", "--scope", "--tenant", "--subscription"}:
        return refusal(f"unrecognized arguments: {' '.join(arguments[2:])}", 2)
    if options.keys() >= {"--tenant", "--subscription"}:
        return refusal("Please specify only one of subscription and tenant, not both")
    own: str = state["subscription_id"]
    subscription = options.get("--subscription") or own
    if subscription.lower() != own.lower():
        return refusal(f"Subscription '{subscription}' not found. Check the spelling and casing and try again.")
    return {"stdout": token(options, state), "exit_code": 0}


def refusal(text: str, exit_code: int = 1) -> dict[str, Any]:
    """An error of `az`."""
    return {"stderr": f"ERROR: {text}\n", "exit_code": exit_code}


def token(options: dict[str, str], state: dict[str, Any]) -> str:
    """The JSON of a token."""
    tenant, end = options.get("--tenant", state["tenant_id"]), int(time.time()) + state["expires_in"]
    claims = {
        "aud": options.get("--resource", "https://management.core.windows.net/"),
        "iss": f"https://sts.windows.net/{tenant}/",
        "exp": end,
        "tid": tenant,
        "idtyp": "user",
        "upn": state["user"],
        "uti": uuid.uuid4().hex,
    }
    parts = [json.dumps({"typ": "JWT", "alg": "RS256"}).encode(), json.dumps(claims).encode(), os.urandom(256)]
    content = {
        "accessToken": ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts),
        "expiresOn": time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(end)),
        "expires_on": end,
        "subscription": state["subscription_id"],
        "tenant": tenant,
        "tokenType": "Bearer",
    }
    if not state["epoch"]:
        del content["expires_on"]
    return json.dumps(content, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
