"""`kind: azure_cli`: the user who is signed in to the Azure CLI, on a developer's machine.

Each token costs one start of `az`, which takes seconds; the engine caches it and refreshes it in the background.

Source: azure-identity's `AzureCliCredential`, and the reference of `az account get-access-token`.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import string
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import model_validator

from credconf.ground.opaque import Opaque
from credconf.problems.failure import Failure, codes_in
from credconf.references import BaseReference, NotFound, Reference
from credconf.settings import formats
from credconf.settings.declaration import Setting
from credconf.settings.faults import fault
from credconf.settings.fields import AllowedTenants, Tenant, text_in

from .application import ALLOWED_TENANTS, TENANT
from .common import KIND, CommonOverrides, CommonSettings, Given
from .readable import by_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credconf.entra.messages import Answer, Reply
    from credconf.entra.request import TokenRequest
    from credconf.ground.programs import Failed
    from credconf.references import Reader

_TIME_LIMIT: Final = 30.0  # azure-identity's 10 s are too short for a cold start of `az`
_SIZE_LIMIT: Final = 128 * 1024
_NOT_FOUND: Final = 127
"""The status with which a shell reports that there is no such program."""
_DEFAULT: Final = "/.default"
_OF_SCOPES: Final = frozenset(string.ascii_letters + string.digits + "_-.:/")
_TOKEN: Final = re.compile(r"""(?i)["']?(?:access|refresh|id)_?token["']?\s*[:=]\s*["']?[^"',}\s]*["']?""")
_SUBSCRIPTION: Final = formats.of_pattern(
    r"(?! *$)[A-Za-z0-9_. -]{1,256}",
    "a subscription is its id, or a name of letters, digits, spaces, `_`, `-` and `.` only; use the id of another one",
)


class AzureCliSettings(CommonSettings):
    """The user who is signed in to the Azure CLI on a developer's machine."""

    azure_identity: ClassVar = "AzureCliCredential"
    also_called: ClassVar = "azurecli cli az azcli"
    allowed_by: ClassVar = "azure_cli"
    exclusive: ClassVar = ("tenant_id", "subscription")
    seals: ClassVar = False

    kind: Annotated[Literal["azure_cli"], KIND] = "azure_cli"
    tenant_id: Annotated[Tenant | None, TENANT] = None
    subscription: Annotated[
        Annotated[str | Reference, text_in(_SUBSCRIPTION)] | None,
        Setting(
            "The id or name of a subscription, whose account gets the tokens. Default: the CLI's current one.",
            ("5f0a2f5c-9b5c-4c55-9a43-2f0d9a7f3c10", "Contoso Development"),
            also_called="subscriptionname azuresubscription",
        ),
    ] = None
    additionally_allowed_tenants: Annotated[AllowedTenants, ALLOWED_TENANTS] = ()

    def acquire(self, request: TokenRequest, reader: Reader, *, retries: bool) -> Answer | Failure:  # noqa: ARG002 - `az` repeats its own requests
        """Run `az account get-access-token`."""
        if request.claims:
            return self._challenged(request)
        resource = _resource(request.scopes)
        if isinstance(resource, Failure):
            return resource
        subscription = self._subscription_name(reader)
        if isinstance(subscription, NotFound):
            what = f"`subscription` can't be read now: {subscription.message}"
            return _failure(what, subscription.code, subscription.hint, unavailable=True)
        program, directory = _program(reader.environ), _directory(reader.environ)
        if program is None:
            return _NOT_INSTALLED
        command = [program, "account", "get-access-token", "--output", "json", "--resource", resource]
        # `az` refuses both at once. A tenant that is asked for wins, as in Azure's SDK for .NET.
        if request.tenant:
            command += ["--tenant", request.tenant]
        elif subscription:
            command += ["--subscription", subscription]
        return self._run(tuple(command), directory, request, reader)

    def _run(
        self, command: tuple[str, ...], directory: str | None, request: TokenRequest, reader: Reader
    ) -> Answer | Failure:
        from credconf.ground.programs import Failed, run

        seconds = _TIME_LIMIT if reader.seconds is None else max(min(_TIME_LIMIT, reader.seconds), 0.0)
        now, printed = reader.clock(), Opaque()
        printed.content = run(
            command,
            {**reader.environ, "AZURE_CORE_NO_COLOR": "true"},
            seconds,
            _SIZE_LIMIT,
            directory=directory,
            keep_errors=True,
        )
        if isinstance(printed.content, Failed):
            return _explained(printed.content, self._redacted(request, reader), self._login(request))
        return _answer(printed, now)

    def tenants(self) -> tuple[str, ...]:
        """Return `additionally_allowed_tenants`; every tenant if none is configured, as azure-identity does."""
        return ("*",) if self.tenant_id is None else self.additionally_allowed_tenants

    @model_validator(mode="after")
    def _has_one_tenant(self) -> Self:
        if self.tenant_id is not None and self.subscription is not None:
            message = "`tenant_id` and `subscription` exclude each other: a subscription belongs to one tenant"
            raise fault("conflict", message, "keep one of them", step="subscription")
        return self

    def variables(self) -> tuple[str, ...]:
        """Return those that decide which `az` runs, and which user is signed in."""
        return ("PATH", "AZURE_CONFIG_DIR", "HOME", "USERPROFILE")

    def _subscription_name(self, reader: Reader) -> str | NotFound | None:
        held = self.subscription
        if not isinstance(held, BaseReference):
            return held
        found = reader.text(held)
        return found if isinstance(found, NotFound) else by_rule(found.strip(), held.label, _SUBSCRIPTION.normalise)

    def _login(self, request: TokenRequest, options: str = "") -> str:
        """Return the command that signs in. It does not show a tenant that a file holds."""
        shown = request.tenant if not isinstance(self.tenant_id, BaseReference) else None
        return f"az login{options}{f' --tenant {shown}' if shown else ''}"

    def _challenged(self, request: TokenRequest) -> Failure:
        """Return the failure of a claims challenge, which `az` can only satisfy interactively."""
        claims = base64.b64encode((request.claims or "").encode(errors="replace")).decode()
        command = f"{self._login(request, f' --claims-challenge {claims}')} --scope {' '.join(request.scopes)}"
        what = "a claims challenge asks for another sign-in of the user"
        return _failure(what, "claims", f"run {command} (Azure CLI 2.76 or later)", unavailable=True)

    def _redacted(self, request: TokenRequest, reader: Reader) -> Callable[[str], str]:
        """Return what removes tokens, and what was read from files, from a text of `az`."""
        from credconf.entra.redaction import Redactor

        def concealed() -> list[str]:
            held = ((self.tenant_id, request.tenant), (self.subscription, self._subscription_name(reader)))
            return [
                text
                for setting, text in held
                if isinstance(setting, BaseReference) and not setting.is_shown and isinstance(text, str)
            ]

        return Redactor((), concealed)


class AzureCliOverrides(CommonOverrides, total=False):
    """The fields as keyword arguments."""

    subscription: Given | None


def _failure(what: str, error: str, do: str | None = None, **known: Any) -> Failure:
    text = f"no token from the Azure CLI: {what}"
    return Failure(f"{text}\n{do[0].upper()}{do[1:]}." if do else text, error, **known)


_NOT_INSTALLED: Final = _failure(
    "the program `az` is not in PATH",
    "not_installed",
    "install it (https://aka.ms/azure-cli), or choose another kind of credential for this machine",
    unavailable=True,
)


def _resource(scopes: tuple[str, ...]) -> str | Failure:
    """Return the resource of the only scope."""
    if len(scopes) != 1:
        hint = "request one token for each scope"
        return _failure("the Azure CLI gives a token for exactly one scope", "invalid_scope", hint)
    if not scopes[0] or not _OF_SCOPES.issuperset(scopes[0]):
        hint = "use letters, digits, `_`, `-`, `.`, `:` and `/` only"
        return _failure("the scope holds a character that is not allowed", "invalid_scope", hint)
    return scopes[0].removesuffix(_DEFAULT)


def _program(environ: Mapping[str, str]) -> str | None:
    """Return the absolute path of `az`; `None` if it is not in PATH.

    A relative directory of PATH does not count: a program in the working directory must not get what `az` gets.
    """
    folders = [folder for folder in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]
    names = ("az.cmd", "az") if sys.platform == "win32" else ("az",)
    found = (shutil.which(name, path=os.pathsep.join(folders)) for name in names)
    return next((path for path in found if path is not None and os.path.isabs(path)), None)


def _directory(environ: Mapping[str, str]) -> str | None:
    """Return a directory of the system: `az` imports modules from its working directory."""
    return (environ.get("SYSTEMROOT") or os.path.dirname(os.__file__)) if sys.platform == "win32" else "/bin"


def _answer(printed: Opaque, now: float) -> Answer | Failure:
    """Return the token of what `az` printed, which no variable holds."""
    from credconf.entra.messages import Reply, token_in

    reply = Reply()
    reply.text = printed.content.decode(errors="replace")
    reply.parse()
    ends_at = _end(reply)
    if ends_at is None:
        return _malformed("it printed no token with an expiry as JSON")
    reply.payload = {
        "access_token": reply.payload.get("accessToken"),
        "token_type": reply.payload.get("tokenType"),
        "expires_in": max(ends_at - now, 0.0),
    }
    found = token_in(reply)
    if found is None:
        return _malformed("it printed no token")
    return _malformed(found) if isinstance(found, str) else found


def _malformed(what: str) -> Failure:
    hint = "run `az account get-access-token --output json` in a shell, and update the Azure CLI"
    return _failure(what, "malformed", hint)


def _end(reply: Reply) -> float | None:
    """Return the end of the token: `expires_on` in Unix time, else `expiresOn` in local time without a zone."""
    if not isinstance(reply.payload, dict):
        return None
    epoch, local = reply.payload.get("expires_on"), reply.payload.get("expiresOn")
    if isinstance(epoch, str) and epoch.isdecimal() and len(epoch) < len("100000000000"):
        epoch = int(epoch)
    if isinstance(epoch, int | float) and not isinstance(epoch, bool):
        return float(epoch)
    try:
        return datetime.fromisoformat(local).timestamp() if isinstance(local, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def _explained(failed: Failed, redacted: Callable[[str], str], login: str) -> Failure:
    """Return the failure of a run, from its status and its standard error."""
    text = failed.errors.decode(errors="replace").strip()
    if failed.reason == "time":
        hint = "run `az account get-access-token` in a shell, or raise `http.total_timeout` if it is below 30 s"
        return _failure(f"`az` {failed.what}", "timeout", hint, unavailable=True)
    if failed.reason != "status":
        return _failure(f"`az` {failed.what}", "not_started", failed.hint, unavailable=failed.reason == "start")
    if failed.status == _NOT_FOUND or text.startswith("'az' is not recognized"):
        return _NOT_INSTALLED
    codes = codes_in(text)
    said = redacted(_TOKEN.sub("[removed]", text.removeprefix("ERROR:").strip()))
    if not codes and (
        "az account set" in text or re.search(r"(?i)subscription\b.*\b(?:not found|doesn't exist)", text)
    ):
        hint = "check `subscription`, or choose one with `az account set --subscription NAME`"
        return _failure(f"it has no such subscription: {said}", "no_subscription", hint, unavailable=True)
    if not codes and "az login" in text:
        return _failure("no user is signed in", "signed_out", f"run {login}", unavailable=True)
    what = f"`az` reported: {said}" if said else f"`az` {failed.what}"
    hint = f"run `az account get-access-token` in a shell, or sign in again: {login}"
    return _failure(what, "refused", hint, codes=codes)
