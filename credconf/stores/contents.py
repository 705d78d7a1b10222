"""The contents of a file of tokens, or of an item in a keyring: tokens and failures, as a JSON text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from credconf.ground.records import record

from .store import Stored, read, read_failure, written, written_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.problems.failure import Failure

    from .store import Entry

MOST_FAILURES: Final = 50
"""The number of failures in a file: the latest ones. They expire after half a minute."""
_FORMAT: Final = "credconf-tokens-1"
_LATEST: Final = 1e12  # seconds; later than any clock


@record
class Clocks:
    """The clocks that show the age of a token that another process has written.

    Attributes:
        wall: the wall clock. It advances while the machine is off.
        monotonic: a clock that all processes of the machine share, since its start. It is unaffected when the wall
            clock is set.
    """

    wall: Callable[[], float]
    monotonic: Callable[[], float]

    def stamp(self, age: float = 0.0) -> dict[str, float]:
        """Return the two times to write with a token of that age, in seconds."""
        return {"at": self.wall() - age, "up": self.monotonic() - age}

    def age(self, kept: Any) -> float | None:
        """Return the seconds since something was written; `None` if neither clock shows it.

        After a restart the age is too small, never too large.
        """
        if not isinstance(kept, dict):
            return None
        since = max(self.wall() - kept["at"], self.monotonic() - kept["up"])
        return since if since >= 0 else None


class Contents:
    """Tokens and failures by their keys.

    Args:
        clocks: of this machine.
        tokens: the tokens as JSON, the oldest first.
        failures: likewise.
    """

    def __init__(
        self, clocks: Clocks, tokens: dict[str, Any] | None = None, failures: dict[str, Any] | None = None
    ) -> None:
        self._clocks = clocks
        self._tokens = tokens or {}
        self._failures = failures or {}

    @classmethod
    def parsed(cls, text: str, clocks: Clocks) -> Contents | None:
        """Return the contents of a text; `None` if it is not in credconf's format."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict) or document.keys() != {"format", "tokens", "failures"}:
            return None
        tokens, failures = document["tokens"], document["failures"]
        if document["format"] != _FORMAT or not (isinstance(tokens, dict) and isinstance(failures, dict)):
            return None
        stamped = all(_has_numbers(kept, "at", "up") and _is_flat(kept) for kept in tokens.values())
        failed = all(_has_numbers(each, "at", "up", "seconds") and _is_failure(each) for each in failures.values())
        return cls(clocks, tokens, failures) if stamped and failed else None

    def found(self, key: str) -> Stored:
        """Return the token and the failure of a key."""
        kept: Any = self._tokens.get(key)
        failed: Any = self._failures.get(key)
        age = self._clocks.age(kept)
        entry = None if age is None else read(kept, age)
        since = self._clocks.age(failed)
        failure = None if since is None or since > failed["seconds"] else read_failure(failed["failure"])
        return Stored(entry) if failure is None or since is None else Stored(entry, failure, since)

    def add(self, key: str, entry: Entry) -> None:
        """Add a token. It replaces the previous token and any failure."""
        self._tokens.pop(key, None)
        self._tokens[key] = {**written(entry), **self._clocks.stamp(entry.age)}
        self._failures.pop(key, None)

    def add_failure(self, key: str, failure: Failure, seconds: float) -> None:
        """Add a failure that counts for some seconds."""
        self._failures.pop(key, None)
        self._failures[key] = {"failure": written_failure(failure), **self._clocks.stamp(), "seconds": seconds}

    def text(self, largest: int) -> str:
        """Return the text, without expired entries and without the oldest ones beyond the bounds.

        Args:
            largest: the characters that it may have.
        """
        self._forget_expired()
        _drop(self._failures, len(self._failures) - MOST_FAILURES)
        text = self._as_text()
        while len(text) > largest and (self._tokens or self._failures):
            oldest = self._failures or self._tokens  # a failure that is missed costs no more than a token that is
            _drop(oldest, len(oldest) // 8 + 1)
            text = self._as_text()
        return text

    def _forget_expired(self) -> None:
        for key, kept in list(self._tokens.items()):
            if read(kept, self._clocks.age(kept) or 0.0) is None:
                del self._tokens[key]
        for key, failed in list(self._failures.items()):
            age = self._clocks.age(failed)
            if age is None or age > failed["seconds"]:
                del self._failures[key]

    def _as_text(self) -> str:
        return json.dumps({"format": _FORMAT, "tokens": self._tokens, "failures": self._failures})


def _drop(kept: dict[str, Any], number: int) -> None:
    """Remove a number of the oldest entries."""
    for key in list(kept)[: max(number, 0)]:
        del kept[key]


def _is_failure(each: dict[str, Any]) -> bool:
    """Whether nothing is nested: deep nesting can be read, and not be written again."""
    failure = each.get("failure")
    rest = {name: value for name, value in each.items() if name != "failure"}
    if not isinstance(failure, dict) or not _is_flat(rest):
        return False
    codes = failure.get("codes")
    return _is_flat({**failure, "codes": None}) and (not isinstance(codes, list) or _is_flat(dict(enumerate(codes))))


def _is_flat(kept: dict[Any, Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in kept.values())


def _has_numbers(kept: Any, *names: str) -> bool:
    return isinstance(kept, dict) and all(_is_time(kept.get(name)) for name in names)


def _is_time(value: Any) -> bool:
    """Whether a value is a usable time. JSON permits `NaN`, and numbers that are too large to calculate with."""
    return isinstance(value, int | float) and -_LATEST < value < _LATEST
