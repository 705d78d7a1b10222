"""Where tokens are kept: the settings of `token_cache`, and which of them belong to which kind."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, model_validator

from credconf.ground.models import STRICT
from credconf.references import EnvReference, FileReference
from credconf.settings.clouds import BadName
from credconf.settings.fields import Password, PlainText, fault, named_text

OF_A_KIND: Final[dict[str, tuple[str, ...]]] = {
    "memory": (),
    "file": ("name", "allow_unencrypted_storage"),
    "redis": ("url", "key", "timeout"),
}
"""The settings that one kind of cache has alone; each kind has the others."""

# Both are regular expressions of ECMAScript too: the JSON Schema says the same.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_USER = r"(?:[^\s/?#@\\\[\]]*@)?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::0*[1-9][0-9]{{0,4}})?"
URL: Final = rf"(?:rediss?://{_USER}{_HOST}(?:/[0-9]{{0,5}})?|unix://{_USER}/[^\s?#\\]+(?:\?db=[0-9]{{1,5}})?)"
NAME: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?"
A_URL: Final = "a Redis is rediss://HOST:PORT/DATABASE, redis:// without TLS, or unix:///PATH"
A_NAME: Final = "a name of a cache is letters, digits, `.`, `_` and `-`, such as billing"


def redis_url(text: str) -> str:
    """The URL of a Redis; it may hold a user and a password, percent-encoded.

    Nothing else may stand in it: redis-py would take options from its query, such as to check no certificate.

    Raises:
        BadName: it is no such URL.
    """
    url = text.strip()
    # Without its zeros: of thousands of digits Python makes no number.
    port = re.search(r":0*([1-9][0-9]*)(?:/[0-9]*)?$", url.rpartition("@")[2])
    if not re.fullmatch(URL, url) or (port is not None and int(port[1][:6]) > 65535):  # noqa: PLR2004 - the highest port
        raise BadName(A_URL)
    return url


def _url(value: Any) -> Any:
    """Hidden, because it may hold a password."""
    value = named_text(value.get_secret_value() if isinstance(value, SecretStr) else value, redis_url)
    return SecretStr(value) if isinstance(value, str) else value


def _name(value: str) -> str:
    if re.fullmatch(NAME, value):
        return value
    raise fault("bad-value", A_NAME)


class TokenCacheSettings(BaseModel):
    """Where tokens are kept."""

    model_config = STRICT

    kind: Literal["memory", "file", "redis"] = Field(
        default="memory",
        description="`memory`: in this process; `file`: also in a file of this user; `redis`: also in a Redis, for "
        "many machines. Inferred from the other settings; with `memory` they are not used.",
        examples=["redis"],
    )
    max_entries: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=100_000,
        description="How many tokens this process keeps; the least recently used go first.",
        examples=[1_000],
    )
    name: Annotated[PlainText, AfterValidator(_name)] = Field(
        default="credconf",
        description="Of the file: processes of one user that give the same name share it.",
        examples=["billing"],
    )
    allow_unencrypted_storage: bool = Field(
        default=False,
        description="Keep a plain file, for its owner alone, where the machine has nothing to encrypt it with.",
        examples=[True],
    )
    url: Annotated[SecretStr | EnvReference | FileReference, BeforeValidator(_url)] | None = Field(
        default=None,
        description="Of the Redis: `rediss://` with TLS, `redis://` without, `unix://` for a socket.",
        examples=["rediss://cache.example.com:6380/0", {"env": "REDIS_URL"}],
    )
    key: Password | None = Field(
        default=None,
        description="What tokens are encrypted with; by default a key derived from the credential's secret.",
        examples=[{"file": "/run/secrets/cache-key"}],
    )
    timeout: Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)] = Field(
        default=0.5,
        description="Seconds that the Redis may take; then this process is on its own for a while.",
        examples=[1],
    )

    def __getstate__(self) -> dict[Any, Any]:
        """As that of the settings around it.

        Raises:
            TypeError: it holds a key, or a URL with a password.
        """
        password = isinstance(self.url, SecretStr) and "@" in self.url.get_secret_value()
        if password or isinstance(self.key, SecretStr):
            message = "settings that hold a secret can't be pickled: use a reference, such as {file: PATH}"
            raise TypeError(message)
        return super().__getstate__()

    @model_validator(mode="before")
    @classmethod
    def _infer(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("kind") is not None:
            return data
        kinds = kinds_of(data)
        return {**data, "kind": kinds[0]} if kinds else data

    @model_validator(mode="after")
    def _consistent(self) -> TokenCacheSettings:
        for kind, fields in OF_A_KIND.items():
            for name in fields if self.kind not in {kind, "memory"} else ():
                if name in self.model_fields_set and getattr(self, name) is not None:
                    message = f"`{name}` is not a setting of `kind: {self.kind}`"
                    raise fault("unknown-key", message, f"remove it, or write `kind: {kind}`", step=name)
        if self.kind == "redis" and self.url is None:
            raise fault("missing", "`token_cache.url` is not set", step="url")
        return self


def kinds_of(data: dict[str, Any]) -> list[str]:
    """The kinds that some of these settings belong to alone."""
    return [kind for kind, fields in OF_A_KIND.items() if any(data.get(name) is not None for name in fields)]
