"""`credconf show`: every setting, its origin, the values it overrides, and every place that was searched."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import click

from credconf.config.resolution import Resolved, resolve
from credconf.config.searched import sources_of
from credconf.config.show import settings_of, settings_so_far, variables_of
from credconf.problems import as_dicts, printable

from .options import configuration_options, request_of
from .output import JSON, TEXT, echo, echo_json, echo_report, format_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from credconf import Origin, Problem
    from credconf.config.resolution import FailedResolution
    from credconf.config.searched import Source
    from credconf.config.show import ShownSetting

    from .options import Chosen

_WIDTH: Final = 80
_INDENT: Final = 32
"""Columns before the text about a name. The longest name has 28."""
_HIDDEN: Final = "(hidden)"


@click.command()
@format_option(TEXT, JSON)
@configuration_options
def show(form: str, chosen: Chosen) -> None:
    """Show every setting, its origin, and the values it overrides.

    credconf resolves the configuration as from_config() would here and now. If that fails, it shows what is known,
    with the problems. It hides secrets and the content of files, and runs no programs. It lists every place that it
    searched, including those that do not exist.

    Exit status: 1 if the configuration can't be used.
    """
    request = request_of(chosen)
    looked_in = sources_of(request)
    outcome = resolve(request)
    problems = outcome.warnings if isinstance(outcome, Resolved) else outcome.problems
    if form == JSON:
        echo_json(_described(outcome, looked_in, problems))
    else:
        _show_text(outcome, looked_in)
        echo_report(problems, TEXT)
    sys.exit(0 if isinstance(outcome, Resolved) else 1)


def _settings(outcome: Resolved | FailedResolution) -> list[ShownSetting]:
    return list(settings_of(outcome) if isinstance(outcome, Resolved) else settings_so_far(outcome))


def _described(
    outcome: Resolved | FailedResolution, looked_in: Sequence[Source], problems: Sequence[Problem]
) -> dict[str, Any]:
    return {
        "ok": isinstance(outcome, Resolved),
        "name": outcome.name,
        "kind": outcome.settings.kind if outcome.settings else None,
        "settings": [_setting(item) for item in _settings(outcome)],
        "places": [_place(place) for place in looked_in],
        "problems": as_dicts(problems),
    }


def _setting(setting: ShownSetting) -> dict[str, Any]:
    return {
        "path": setting.path,
        "value": setting.value,
        "hidden": setting.hidden,
        "references": list(setting.references),
        "origin": _origin(setting.origin),
        "displaced": [_origin(origin) for origin in setting.origin.displaced],
        "problems": list(setting.problems),
    }


def _origin(origin: Origin) -> dict[str, Any]:
    names = ("place", "name", "file", "line", "column", "entry", "discovered")
    return {name: getattr(origin, name) for name in names}


def _place(place: Source) -> dict[str, Any]:
    return {"name": place.name, "exists": place.exists, "note": place.note}


def _show_text(outcome: Resolved | FailedResolution, looked_in: Sequence[Source]) -> None:
    settings = _settings(outcome)
    if settings:
        given = [item for item in settings if item.origin.place != "default" or item.problems]
        _block(_title(outcome), [(item.path, list(_lines(item, outcome.name))) for item in given])
        others = [(item.path, [_value(item)]) for item in settings if item not in given and item.path != "kind"]
        if others:
            _block("defaults", others)
    variables = variables_of(outcome) if isinstance(outcome, Resolved) else "read"
    files = [(printable(place.name), [_state(place)]) for place in looked_in if not place.is_of_the_process]
    _block("looked in", [("environment", [variables]), *files])


def _title(outcome: Resolved | FailedResolution) -> str:
    name = outcome.name or "one credential"
    kind = f", kind {outcome.settings.kind}" if outcome.settings else ""
    return f"{name}{kind}" if isinstance(outcome, Resolved) else f"{name}{kind}: it can't be used, see below"


def _block(title: str, rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print a title and aligned rows of at most `_WIDTH` columns. A long word, such as a path, stays whole."""
    echo(click.style(title, bold=True))
    for name, lines in rows:
        label = f"  {name}".ljust(_INDENT - 2)
        if len(label) > _INDENT - 2:
            echo(label)
            label = ""
        texts = [text for line in lines for text in _wrapped(line)]
        for text in texts:
            echo(f"{label.ljust(_INDENT)}{text}".rstrip())
            label = ""
    echo()


def _wrapped(text: str) -> list[str]:
    width = _WIDTH - _INDENT
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) or [""]


def _lines(setting: ShownSetting, name: str | None) -> Iterator[str]:
    yield _value(setting)
    if setting.origin.place == "default":
        return  # it is missing
    for reference in setting.references:
        yield printable("read from " + ", ".join(f"{{{key}: {name}}}" for key, name in reference.items()))
    yield f"from {_where(setting.origin, name)}"
    for origin in setting.origin.displaced:
        yield f"over {_where(origin, name)}"


def _where(origin: Origin, name: str | None) -> str:
    entry = f", entry {origin.entry}" if origin.entry not in {None, name} else ""
    return printable(f"{origin}{entry}")


def _value(setting: ShownSetting) -> str:
    if setting.problems:
        return f"(problem: {', '.join(setting.problems)})"
    return _HIDDEN if setting.hidden else printable(_text(setting.value))


def _text(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _state(place: Source) -> str:
    state = "exists" if place.exists else "does not exist"
    return f"{state}, {place.note}" if place.note else state
