"""Warnings about the notation of values: what is probably wrong with a text, in every setting and source alike.

Where the same value is an error, the warning becomes the error's hint: it explains why the value is invalid.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from credconf.config.reading.cut_values import cut_values
from credconf.config.reading.nodes import Lines
from credconf.ground.files import absolute
from credconf.ground.records import record, replace
from credconf.kinds import SETTINGS
from credconf.kinds.readable import value_at
from credconf.problems import Problem
from credconf.references import REFERENCES, BaseReference, reference_in
from credconf.settings.declaration import declared
from credconf.settings.defects import defect_of

from .layers import arguments, place_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credconf.ground.log import Log
    from credconf.kinds import Kind
    from credconf.problems.problem import Origin
    from credconf.references import Reader
    from credconf.settings.placeholders import Defect

    from .dotenv import Dotenv
    from .layers import Value
    from .variables import Scheme


@record
class _Text:
    """One text of a setting: its value, an item of its list, or the path of a file.

    Attributes:
        path: the dotted path of the setting, with the index in a list.
        setting: the dotted path of the setting.
        text: the text as it was written.
        origin: its place.
        is_path: whether it is a path.
    """

    path: str
    setting: str
    text: str
    origin: Origin
    is_path: bool

    def warning(self, code: str, message: str, hint: str) -> Problem:
        return Problem(code, message, "warning", self.path, self.origin, hint)


def notes_on_values(values: Mapping[str, Value], lines: Lines) -> Iterator[Problem]:
    """Yield a warning for each value that probably means something else than its notation.

    Args:
        values: the values by path, merged or of one layer.
        lines: the lines of the files that hold them.
    """
    for setting, value in values.items():
        for each in _texts(setting, value):
            note = _decoded(each, lines) or _defect(each, lines) or _for_a_shell(each) or _like_a_reference(each)
            if note is not None:
                yield note
        yield from cut_values(setting, value, lines)


def _texts(setting: str, value: Value) -> Iterator[_Text]:
    """Yield the texts of a value: one, or those of a list."""
    if value.raw is None:
        return  # the null of `env_prefix`
    is_file = isinstance(value.written, str) and reference_in(value.raw) is not None  # of a `_FILE` variable
    is_path = is_file or (setting in SETTINGS and SETTINGS[setting].setting.is_path)
    written = value.written
    if isinstance(value.raw, list) and isinstance(written, str):  # a variable's list
        written = written.strip() if _is_one_defect(written.strip()) else value.raw
    several = isinstance(written, list | tuple)
    for index, item in enumerate(written if several else (written,)):
        text = item.get_secret_value() if isinstance(item, SecretStr) else item
        reference = reference_in(text)
        name = reference.names_file if reference is not None else text
        if isinstance(name, str):
            path = f"{setting}.{index}" if several else setting
            yield _Text(
                path, setting, name, value.place_of((index,) if several else ()), is_path or reference is not None
            )


def _is_one_defect(text: str) -> bool:
    """Whether a defect is one of a whole list: a placeholder, or a pair of quotes that is not around each item."""
    defect = defect_of(text, any_character=True)
    return defect is not None and (defect.code != "surrounding-quotes" or text.count(text[0]) <= 2)  # noqa: PLR2004


def notes_on_references(
    settings: Kind, values: Mapping[str, Value], reader: Reader, dotenv: Dotenv, lines: Lines
) -> Iterator[Problem]:
    """Yield a warning for each reference whose text is probably wrong.

    Args:
        settings: the validated model.
        values: the merged values, for their places.
        reader: reads the references. Commands do not run.
        dotenv: the `.env` file.
        lines: its lines.
    """
    for each in declared(type(settings)):
        held = value_at(settings, each.path) if each.references and not each.only_by_reference else None
        for index, item in enumerate(held if isinstance(held, tuple) else (held,)):
            found = reader.text(item) if isinstance(item, BaseReference) and not item.runs else None
            if not isinstance(found, str) or not isinstance(item, BaseReference):
                continue
            path = f"{each.path}.{index}" if isinstance(held, tuple) else each.path
            origin = place_in(values, path)
            if origin is None:
                continue
            name = item.names_variable or ""
            at = dotenv.origin(name) if name in dotenv.variables and not reader.environ.get(name) else origin
            text = found if each.hidden else found.strip()  # where it is no secret, white space around it is dropped
            read = _Text(path, each.path, text, at, is_path=False)
            note = _decoded(read, lines) or _defect(read, lines)
            if note is not None:
                message = note.message.replace(f"`{path}`", f"`{path}` ({item.label})", 1)
                yield replace(note, message=message, origin=origin)


def notes_on_files(values: Mapping[str, Value], scheme: Scheme) -> Iterator[Problem]:
    """Yield a warning for each literal text that is the path of a file on this machine.

    Args:
        values: the merged values.
        scheme: the variables that the credential reads.
    """
    for setting, value in values.items():
        if setting not in SETTINGS or "file" not in SETTINGS[setting].references:
            continue
        for each in _texts(setting, value):
            if each.is_path or not _is_file(each):
                continue
            variables = [item.name for item in scheme.variables() if item.field == setting and item.form == "file"]
            fix = f"write `{setting}: {{file: PATH}}` to read the file"
            if each.origin.place in {"environment", "dotenv"} and variables:
                same = [name for name in variables if name.startswith(each.origin.name or "")]
                fix = f"set {(same or variables)[0]} to the path instead"
            yield each.warning("path-as-value", f"`{each.path}` is the path of a file, and not its text", fix)


def _is_file(each: _Text) -> bool:
    base = os.path.dirname(absolute(each.origin.file)) if each.origin.file else ""
    try:
        return os.path.isfile(os.path.join(base, each.text))
    except ValueError:  # a NUL character
        return False


_EXPLAINABLE: Final = frozenset(
    {
        "bad-value",
        "unknown-kind",
        "missing-file",
        "not-a-file",
        "bad-certificate",
        "bad-assertion",
        "empty",
        "wrong-type",
    }
)


def with_notes(problems: Iterable[Problem], notes: Iterable[Problem]) -> tuple[list[Problem], list[Problem]]:
    """Return the problems and notes: a note on a value that is an error becomes the hint of the error.

    Args:
        problems: the problems.
        notes: the warnings about the notation of values.
    """
    left = dict.fromkeys(notes)
    found = []
    for problem in problems:
        path = problem.path or ""
        of_it = {path, path.rpartition(".")[0]} if path.rpartition(".")[2].isdigit() else {path}
        explains = problem.severity == "error" and problem.code in _EXPLAINABLE
        note = next((note for note in left if note.path in of_it), None) if explains else None
        if note is None:
            found.append(problem)
            continue
        del left[note]
        hint = f"{note.message}: {note.hint}"
        found.append(replace(problem, hint=f"{hint}\n{problem.hint}" if problem.hint else hint))
    return found, [note for note in left if note.code != "cut-value" or _is_secret(note.path or "")]


def _is_secret(path: str) -> bool:
    """Whether a setting, or the list of an item, is secret. Where an id or a path is valid, ` #` begins a comment."""
    return any(SETTINGS[name].setting.secret for name in (path, path.rpartition(".")[0]) if name in SETTINGS)


def notes_on_fields(fields: object) -> list[Problem]:
    """Return the notes on the values of fields that a program gave to `build()` or a class."""
    texts = {key: value for key, value in fields.items() if isinstance(key, str)} if isinstance(fields, Mapping) else {}
    given = arguments(texts, [])
    return list(notes_on_values(given.values, Lines({})))


def log_notes(notes: Iterable[Problem], log: Log) -> None:
    """Log notes as warnings, for a credential that no file gives."""
    for note in notes:
        log.warning("%s (%s)", note.message, note.hint)


_CONTROLS: Final = {
    "\a": (r"\a", "BELL"),
    "\b": (r"\b", "a backspace"),
    "\f": (r"\f", "a form feed"),
    "\n": (r"\n", "a line break"),
    "\r": (r"\r", "a carriage return"),
    "\t": (r"\t", "a tab"),
    "\v": (r"\v", "a vertical tab"),
}


def _decoded(each: _Text, lines: Lines) -> Problem | None:
    r"""Warn about `"C:\new"`: YAML and `.env` decode the escape. At the end of a value, a line break may be meant."""
    held = [_CONTROLS[character] for character in dict.fromkeys(each.text.rstrip()) if character in _CONTROLS]
    if not held:
        return None
    line = lines.at(each.origin)
    written = line.partition("=")[2] if each.origin.place == "dotenv" else line[(each.origin.column or 1) - 1 :]
    found = [(escape, name) for escape, name in held if '"' in written.partition(escape)[0] and escape in written]
    if not found:
        return None
    pairs = " and ".join(f"`{escape}` to {name}" for escape, name in found)
    fix = "write single quotes" + (", or `/` instead of each backslash" if each.is_path else " if a backslash is meant")
    return each.warning("decoded-escape", f"the double quotes of `{each.path}` decode {pairs}", fix)


def _defect(each: _Text, lines: Lines) -> Problem | None:
    setting = SETTINGS.get(each.setting)
    # A choice and a URL have their own messages for such characters.
    is_usual = setting is None or setting.accepts is None or setting.accepts_url or setting.setting.any_character
    defect = defect_of(each.text, any_character=each.is_path or is_usual)
    if defect is None:
        return None
    name = f"the path of `{each.path}`" if each.is_path else f"`{each.path}`"
    return each.warning(defect.code, f"{name} {defect.what}", _fix(each, defect, lines))


def _fix(each: _Text, defect: Defect, lines: Lines) -> str:
    references = SETTINGS[each.setting].references if each.setting in SETTINGS else ()
    if defect.is_variable and "env" in references and each.origin.place in {"file", "argument"} and not each.is_path:
        return "write {env: NAME} to read a variable"
    is_block = lines.at(each.origin)[(each.origin.column or 1) - 1 :].startswith(("|", ">"))
    if defect.code == "surrounding-space" and each.origin.place == "file" and is_block:
        return "write it beside its key: a block (`|` or `>`) keeps the line break at its end"
    return defect.fix


_IN_A_PATH: Final = r"\$(?:\{[A-Za-z_]|[A-Za-z_][A-Za-z0-9_]*$)|%[A-Za-z_][A-Za-z0-9_]*%$"


def _for_a_shell(each: _Text) -> Problem | None:
    """Warn about `~/secret` and `$HOME/secret`, which a shell would expand and credconf does not."""
    parts = each.text.replace("\\", "/").split("/") if each.is_path else []
    if "~" not in parts and not any(part[:1] in {"$", "%"} and re.match(_IN_A_PATH, part) for part in parts):
        return None
    message = f"the path of `{each.path}` uses a shell's notation: credconf expands nothing"
    return each.warning("not-expanded", message, "write the whole path")


def _like_a_reference(each: _Text) -> Problem | None:
    """Warn about `file:secrets/entra` without a space, which is text."""
    key, colon, rest = each.text.partition(":")
    references = SETTINGS[each.setting].references if each.setting in SETTINGS else ()
    if each.is_path or not colon or not rest or key.strip("{ ") not in references:
        return None
    message = f"`{each.path}` is text, although it looks like a reference"
    shape = f"{{{key.strip('{ ')}: {REFERENCES[key.strip('{ ')].placeholder}}}"
    return each.warning("not-expanded", message, f"write {shape}, with a space after the colon")
