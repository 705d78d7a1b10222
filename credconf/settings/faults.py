"""The errors of fields: `PydanticCustomError`s with credconf's own text, which never quotes the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from credconf.problems import closest, shown_key
from credconf.references import REFERENCES

from .declaration import ANY_SECRET, ANY_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def fault(
    code: str,
    message: str,
    hint: str | None = None,
    step: str | int | None = None,
    others: Sequence[PydanticCustomError] = (),
) -> PydanticCustomError:
    """Make an error for pydantic without the value. Braces in the message are not placeholders.

    Args:
        code: the code of the problem.
        message: what is wrong.
        hint: what to do.
        step: the index or key of the wrong item inside the field.
        others: the errors of other items of the field, since pydantic takes one error from each field.
    """
    more = tuple({"code": other.type, **(other.context or {})} for other in others)
    context = {"text": message, "hint": hint, "step": step, "others": more}
    kind: Any = code  # pydantic demands a literal, and every caller passes one
    return PydanticCustomError(kind, "{text}", context)


def written_as(key: str) -> str:
    """Return a reference as a user writes it."""
    return f"{{{key}: {REFERENCES[key].placeholder}}}"


def several_keys(value: Mapping[Any, Any], shapes: str) -> PydanticCustomError:
    """Return the error of a mapping with several keys: merged references, or a setting in the wrong column."""
    if not value:
        return fault("bad-reference", "a reference has exactly one key", f"write {shapes}")
    references = [key for key in value if key in REFERENCES]
    others = [key for key in value if key not in REFERENCES]
    if others and len(references) == 1:
        culprit = shown_key(str(others[0]))
        message = f"`{culprit}` does not belong here: a reference has exactly one key, such as `{references[0]}`"
        hint = f"begin `{culprit}` in the column of the setting that `{references[0]}` belongs to"
        return fault("bad-reference", message, hint, step=culprit if culprit == others[0] else None)
    given = " and ".join(f"`{shown_key(str(key))}`" for key in value)
    message = f"a reference has exactly one key, and this one has {given}"
    if not references:
        return fault("bad-reference", message, f"write {shapes}")
    hint = "keep one of them; an application's own settings class merges the keys from all of its sources"
    return fault("bad-reference", message, hint)


def _without_space(key: Any, keys: tuple[str, ...]) -> str | None:
    """Return the reference that `{file:PATH}` is meant to be: in YAML, its key is `file:PATH`."""
    word, colon, rest = key.partition(":") if isinstance(key, str) else ("", "", "")
    return word if colon and rest and word in keys else None


def unknown_reference(key: Any, keys: tuple[str, ...], shapes: str) -> PydanticCustomError:
    """Return the error of a mapping whose only key is none of the references that the field accepts."""
    if key in REFERENCES:
        return fault("bad-reference", f"a reference by `{key}` can't be used here", f"write {shapes}")
    word = _without_space(key, keys)
    if word is not None:
        return fault("bad-reference", f"after `{word}:` a space is missing", f"write {written_as(word)}")
    allowed = ", ".join(f"`{name}`" for name in keys)
    words = {word: name for name in keys for word in (name, *REFERENCES[name].also_called)}
    meant = words.get(closest(key, words) or "") if isinstance(key, str) else None
    ways = f"the text itself, or {shapes}" if keys in {ANY_TEXT, ANY_SECRET} else shapes
    hint = f"did you mean {written_as(meant)}?" if meant else f"write {ways}"
    return fault("bad-reference", f"a reference here is one of {allowed}", hint)
