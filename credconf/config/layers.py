"""Makes one layer of values for each source, with the origin of each value, and merges the layers of files.

`pydantic_sources.merge_layers()` merges all layers with pydantic-settings. `merge_file_layers()` merges the layers of
files alone without importing pydantic-settings, because the import takes longer than checking a file. A test shows that
both give the same result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from credconf.entra.request import Surroundings
from credconf.ground.files import absolute
from credconf.ground.records import field, record, replace
from credconf.kinds import ALIASES, FIELDS, NESTED, SETTINGS
from credconf.kinds.validation import kind_of_class, unknown_key
from credconf.problems import Problem, shown_key
from credconf.problems.problem import Origin
from credconf.references import anchored
from credconf.settings.declaration import declared

from .variables import Environment, Scheme, Variable, split_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.kinds import Kind


@record
class Value:
    """One value as it was written, with its origin. No `repr` shows what was written.

    Attributes:
        raw: text, a list, a mapping, or any Python object that an argument held.
        origin: the place of the value.
        key: the place of its key; the same as `origin` for sources without keys.
        node: the YAML node, for positions inside the value.
        written: the value before its relative paths became absolute, and before a list was split.
    """

    raw: Any = field(repr=False)
    origin: Origin
    key: Origin
    node: Any = field(default=None, repr=False)
    written: Any = field(default=None, repr=False)

    def place_of(self, path: tuple[str | int, ...]) -> Origin:
        """Return the place of the item at `path` inside this value, as exactly as is known."""
        node = self.node
        for step in path:
            inner = node.child(step) if node is not None else None
            if inner is None:
                break
            node = inner
        return self.origin if node is None else self.origin.at(node.line, node.column)


KNOWN = frozenset({*FIELDS, *ALIASES})
_PARAMETERS = frozenset({"path", "name", "section", "env_file", "environ", "allow", "http_client"})
"""The other keywords of `from_config()`."""


@record
class Layer:
    """The values of one source, by dotted path (`http.timeout`).

    Attributes:
        name: the name of the source in messages.
        values: the values that it gives.
        entry: the named entry, for a layer of a file.
    """

    name: str
    values: dict[str, Value] = field(default_factory=dict)
    entry: str | None = None


def arguments(given: Mapping[str, Any], problems: list[Problem]) -> Layer:
    """Make the layer of keyword arguments. `None` counts as not given, except for `env_prefix`."""
    layer = Layer("arguments")
    for name, raw in given.items():
        if name not in KNOWN:
            problems.append(_unknown_argument(name))
        elif name in ALIASES and given.get(ALIASES[name]) is not None and raw is not None:
            message = f"`{name}` and `{ALIASES[name]}` are the same setting"
            problems.append(
                Problem("conflict", message, path=name, origin=Origin("argument", name), hint="keep one of them")
            )
        elif name in NESTED and isinstance(raw, Mapping):
            for leaf, inner in raw.items():
                path = f"{name}.{leaf}"
                origin = Origin("argument", f"{name}.{shown_key(str(leaf))}")
                _put(layer, path, anchored_value(path, inner, absolute(".")), origin, inner)
        elif raw is not None or name == "env_prefix":
            path = ALIASES.get(name, name)
            _put(layer, path, anchored_value(path, raw, absolute(".")), Origin("argument", name), raw)
    return layer


def _unknown_argument(name: str) -> Problem:
    from credconf.kinds.hints import PARAMETERS_CALLED  # only broken configurations need it

    problem = unknown_key(name, KNOWN | _PARAMETERS, name, "remove it")
    meant = PARAMETERS_CALLED.get(name)
    problem = replace(problem, hint=f"did you mean `{meant}`?", meant=meant) if meant else problem
    return replace(problem, message=f"`{name}` is not a keyword argument", origin=Origin("argument", name))


def anchored_value(path: str, raw: Any, directory: str) -> Any:
    """Make the relative paths of a value absolute.

    Args:
        path: the path of the setting.
        raw: the value as it was written.
        directory: the directory of its file; for an argument, the current working directory.
    """
    declaration = SETTINGS.get(path)
    if declaration is not None and declaration.setting.is_path:
        is_path = isinstance(raw, str | os.PathLike) and bool(os.fspath(raw).strip())
        return os.path.join(directory, raw) if is_path else raw
    return anchored(raw, directory)


def _put(layer: Layer, path: str, raw: Any, origin: Origin, written: Any) -> None:
    layer.values[path] = Value(raw, origin, origin, written=written)


def environment(environ: Environment, scheme: Scheme, problems: list[Problem]) -> Layer:
    """Make the layer of the process environment."""

    def origin(name: str) -> Origin:
        return Origin("environment", name)

    return _variables("environment", environ, scheme, origin, lambda: absolute("."), problems)


def dotenv(
    name: str, variables: Environment, origin_of: Callable[[str], Origin], scheme: Scheme, problems: list[Problem]
) -> Layer:
    """Make the layer of `.env`. Its relative paths are relative to the directory of the file."""
    return _variables(name, variables, scheme, origin_of, lambda: os.path.dirname(absolute(name)), problems)


def _variables(  # noqa: PLR0917 - it has only the two callers above
    label: str,
    environ: Environment,
    scheme: Scheme,
    origin_of: Callable[[str], Origin],
    directory: Callable[[], str],
    problems: list[Problem],
) -> Layer:
    layer = Layer(label)
    setters: dict[str, Variable] = {}
    names = set(environ)  # to ask `os.environ` for a hundred names that are not there costs an exception each
    for variable in scheme.variables():
        text = environ[variable.name] if variable.name in names else ""
        if not text:  # an empty variable counts as unset
            continue
        origin = origin_of(variable.name)
        earlier = setters.get(variable.field)
        if variable.form == "unusable":
            message = f"{variable.name} would hold the value of `{variable.field}`, which is always a reference"
            hint = f"set {variable.name}_FILE to the path of its file"
            problems.append(Problem("bad-variable", message, path=variable.field, origin=origin, hint=hint))
        elif earlier is not None and earlier.ours == variable.ours:
            message = f"{earlier.name} and {variable.name} are both set, but they give the same setting"
            problems.append(Problem("conflict", message, path=variable.field, origin=origin, hint="unset one of them"))
        elif earlier is None:
            setters[variable.field] = variable
            raw = _read(variable, text, directory)
            if raw is not None:
                _put(layer, variable.field, raw, origin, text)
        else:
            value = layer.values[variable.field]
            displacing = value.origin.over((*value.origin.displaced, origin))
            layer.values[variable.field] = replace(value, origin=displacing)
    return layer


def _read(variable: Variable, text: str, directory: Callable[[], str]) -> Any:
    if variable.form == "file":
        return {"file": os.path.join(directory(), text)}  # validated later: it may not be valid Unicode
    if variable.form == "list":
        return split_list(text)
    if variable.form == "word":
        return _word(variable.field, text)
    return anchored_value(variable.field, text, directory()) if SETTINGS[variable.field].setting.is_path else text


def _word(field: str, text: str) -> Any:
    """Return the value that another tool's word means; the text itself if it is none."""
    if field == "kind":
        return kind_of_class(text)
    return SETTINGS[field].setting.words.get(text.strip().lower(), text)


PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
NO_PROXIES = ("no_proxy", "NO_PROXY")
CACHE_HOMES = ("LOCALAPPDATA",) if sys.platform == "win32" else ("XDG_CACHE_HOME",)


def surroundings(environ: Mapping[str, str]) -> Surroundings:
    """Return the values of the environment that concern the network and the place of cached tokens."""
    no_proxy = next((environ[name] for name in NO_PROXIES if environ.get(name)), None)
    homes = [environ.get(name, "") for name in CACHE_HOMES]
    home = next((path for path in homes if os.path.isabs(path)), None)  # XDG: a relative path is ignored
    return Surroundings(no_proxy, environ.get("REGION_NAME") or None, home)


CONVENTIONAL: Final = {"http.proxy": PROXIES, "http.ca_bundle": BUNDLES}
"""The settings that the usual variables of HTTP clients give, with these variables."""


def conventional(environ: Mapping[str, str]) -> Layer:
    """Make the lowest layer above the defaults: a proxy and a bundle of certificates from the usual variables."""
    layer = Layer("environment")
    for path, names in CONVENTIONAL.items():
        name = next((name for name in names if environ.get(name, "").strip()), None)
        if name is not None:
            origin = Origin("environment", name)
            text = environ[name] if path == "http.proxy" else absolute(environ[name])
            layer.values[path] = Value(text, origin, origin, written=environ[name])
    return layer


EXCLUSIVE: Final = ("cloud", "authority")
"""Two settings with one meaning: one of them in a layer displaces both in the layers below it."""


def merge_file_layers(layers: Sequence[Layer]) -> dict[str, Value]:
    """Return the winning value of each dotted path, for layers that come from files.

    Args:
        layers: the layers, highest first.
    """
    merged: dict[str, Value] = {}
    for layer in layers:
        decided = any(name in merged for name in EXCLUSIVE)
        for path, value in layer.values.items():
            if path not in merged and not (decided and path in EXCLUSIVE):
                merged[path] = value
    return {path: with_displaced(path, value, layers) for path, value in merged.items()}


def with_displaced(path: str, value: Value, layers: Sequence[Layer]) -> Value:
    """Return the winning value of a path; its origin holds the origins that it displaced."""
    names = EXCLUSIVE if path in EXCLUSIVE else (path,)
    giving = [layer.values[name] for layer in layers for name in names if name in layer.values]
    below = giving[next((index for index, other in enumerate(giving) if other.origin == value.origin), 0) + 1 :]
    lower: tuple[Origin, ...] = tuple(origin for other in below for origin in other.origin.flat())
    # In one environment, a `CREDCONF_` variable may have displaced an `AZURE_` one already.
    displaced = (*value.origin.displaced, *lower)
    origin = value.origin.over(displaced)
    return value if origin is value.origin else replace(value, origin=origin)


def tree(merged: Mapping[str, Value]) -> dict[str, Any]:
    """Return the raw values, with groups as dictionaries, as a model validates them."""
    fields: dict[str, Any] = {}
    for path, value in merged.items():
        group, _, leaf = path.rpartition(".")
        (fields.setdefault(group, {}) if group else fields)[leaf] = value.raw
    return fields


def place_in(merged: Mapping[str, Value], path: str) -> Origin | None:
    """Return the place of the item at `path`, as exactly as is known; for a group, the place of its first setting."""
    steps = path.split(".")
    for length in range(len(steps), 0, -1):
        value = merged.get(".".join(steps[:length]))
        if value is not None:
            rest: tuple[str | int, ...] = tuple(int(step) if step.isdigit() else step for step in steps[length:])
            return value.place_of(rest)
    group = next((value for name, value in merged.items() if name.startswith(f"{path}.")), None)
    return group.origin if group else None


def origins_of(settings: Kind, merged: Mapping[str, Value]) -> dict[str, Origin]:
    """Return the origin of every setting, including presets and defaults."""
    default = Origin("default")
    origins: dict[str, Origin] = {}
    for each in declared(type(settings)):
        if not each.is_group:
            origins[each.path] = merged[each.path].origin if each.path in merged else default
    cloud = getattr(settings, "cloud", None)
    if "authority" not in merged and cloud is not None:
        origins["authority"] = Origin("preset", cloud, displaced=origins["cloud"].displaced)
    return origins


def exclusive(layer: Layer, path: str) -> Problem | None:
    """Report `cloud` beside `authority` in one source.

    Args:
        layer: the layer of the source.
        path: the path of `authority`, for the problem.
    """
    if not ("cloud" in layer.values and "authority" in layer.values):
        return None
    cloud, authority = layer.values["cloud"], layer.values["authority"]
    message = f"`cloud` ({cloud.origin}) and `authority` exclude each other"
    return Problem("conflict", message, path=path, origin=authority.origin, hint="keep one of them")
