"""The answer of a reference that could not be read."""

from __future__ import annotations

from credconf.records import record


@record
class NotFound:
    """Why a reference has no value: data instead of an exception, so that no chain holds what was read.

    Attributes:
        code: of the problem that it is, such as `missing-file`.
        message: one sentence; names the reference, shows nothing of what it holds.
        hint: what to do.
        path: of the setting, where it is not the one that was asked for.
    """

    code: str
    message: str
    hint: str | None = None
    path: str | None = None
