"""One declaration per setting: everything that is known of it beside its type and its default.

A model declares a setting as `name: Annotated[Type, Setting(...)] = default`. The list of variables, `<FIELD>_FILE`,
the JSON Schema, hover texts, `credconf show`, the safety rules, hints and the reference pages are functions of these
declarations: see `declared`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, get_args, get_origin

from pydantic import BaseModel

from credconf.ground.records import field, record
from credconf.references import REFERENCES, BaseReference

from . import clouds, formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.fields import FieldInfo
    from pydantic_core import core_schema

    from .formats import Format


ANY_TEXT: Final = tuple(key for key, model in REFERENCES.items() if model.for_any_text)
"""The references that any text may be."""
ANY_SECRET: Final = tuple(REFERENCES)
"""The references that a secret may be."""
ANY_BYTES: Final = tuple(key for key, model in REFERENCES.items() if model.gives_bytes)
"""The references that a certificate may be."""


class Values(Protocol):
    """The values of a configuration, as a rule looks at them."""

    def text(self, path: str) -> object:
        """The text of a setting, in lower case and without surrounding space, its reference read."""
        ...

    def __contains__(self, path: object) -> bool:
        """Whether a setting is given."""
        ...


@record
class Redirects:
    """A setting that decides where something is sent, or who can read it.

    Attributes:
        decides: what it decides about: `server` (who receives what identifies the application), `proxy` (who learns the
            host), `login` (who receives a password or a key of another service). A proof is always protected.
        keeps: it decides where tokens are kept, not where a secret is sent.
        unless: the values with which it decides nothing.
    """

    decides: tuple[str, ...] = ()
    keeps: bool = False
    unless: Callable[[Values, str], bool] = lambda values, path: False  # noqa: ARG005 - nothing is harmless


@record
class Setting:
    """What is known of one setting.

    Attributes:
        description: one sentence or two.
        examples: the first one is shown.
        environment: the documented `AZURE_` variables that give it; one that ends in `_FILE` or `_PATH` names a file.
        choices: what its values mean.
        words: the spellings of its values in the documented variables, in lower case, by what is meant.
        also_called: what other tools call it, in lower case without `-` and `_`.
        alias: another name of the same setting.
        variable: whether a variable of ours can give it.
        is_path: its text is a path, relative to the file that holds it.
        is_null: null has a meaning of its own.
        secret: it holds, or opens, a secret of this credential.
        redirects: what it decides about where secrets are sent.
        sent_to: who receives its text: see `Redirects.decides`.
        format: how its text, or each item of its list, is written, where the type does not tell.
        item: what one item of its list is.
    """

    description: str
    examples: tuple[Any, ...] = ()
    environment: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    also_called: str = ""
    alias: str | None = None
    variable: bool = True
    is_path: bool = False
    is_null: bool = False
    secret: bool = False
    redirects: Redirects | None = None
    sent_to: str | None = None
    format: Format | None = None
    item: str | None = None

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """For applications that generate a schema of a model with ours in it."""
        said = {"description": self.description, "examples": list(self.examples)}
        return {**handler(schema), **{name: text for name, text in said.items() if text}}


@record
class Accepts:
    """What may be written for a field, as part of its type: the validator that pydantic calls before its own.

    Attributes:
        validate: what was written, validated; raises `PydanticCustomError`.
        references: the keys of the references that it may be.
        literal: whether text itself may be written.
        hidden: its text may be a secret, or hold one.
        is_url: of a hidden text, host and port may be shown.
        several: how many may stand in a list, where more than one may.
        format: how its text is written.
    """

    validate: Callable[[Any], Any]
    references: tuple[str, ...] = ()
    literal: bool = True
    hidden: bool = False
    is_url: bool = False
    several: int = 1
    format: Format | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self.validate, handler(source))


@record
class Declared:
    """One setting of a model, by its dotted path.

    Attributes:
        path: such as `http.timeout`.
        setting: its declaration.
        accepts: of its type; `None` for a number, a boolean or a choice.
        is_list: it is a list of texts.
        default: `None` where there is none.
        is_group: it is a mapping of settings.
    """

    path: str
    setting: Setting
    accepts: Accepts | None
    is_list: bool
    default: Any
    is_group: bool = False

    @property
    def references(self) -> tuple[str, ...]:
        """The keys of the references that it may be."""
        return self.accepts.references if self.accepts is not None else ()

    @property
    def is_text(self) -> bool:
        """Whether its text may stand elsewhere, such as in a file."""
        return bool(self.references)

    @property
    def only_by_reference(self) -> bool:
        """Whether it is never written itself."""
        return self.accepts is not None and not self.accepts.literal

    @property
    def hidden(self) -> bool:
        """Whether its text may be, or hold, a secret."""
        return self.accepts is not None and self.accepts.hidden

    @property
    def is_key(self) -> bool:
        """Whether its text is a secret itself, and not a URL that may hold one."""
        return self.accepts is not None and self.accepts.hidden and not self.accepts.is_url

    @property
    def accepts_url(self) -> bool:
        """Whether it is a URL that may hold a password."""
        return self.accepts is not None and self.accepts.is_url

    @property
    def is_proof(self) -> bool:
        """Whether it proves the application to Entra, or opens what does: it is read when a token is asked for."""
        return self.setting.secret and "." not in self.path

    @property
    def format(self) -> Format | None:
        """How its text, or each item of its list, is written."""
        return self.setting.format or (self.accepts.format if self.accepts is not None else None)


@cache
def declared(model: type[BaseModel]) -> tuple[Declared, ...]:
    """The settings of a model and of the groups in it, in their order; a group itself is one, too.

    Args:
        model: whose fields are declared with a `Setting`.
    """
    return tuple(_declared(model, ""))


def _declared(model: type[BaseModel], prefix: str) -> Iterator[Declared]:
    for name, info in model.model_fields.items():
        setting = next(item for item in info.metadata if isinstance(item, Setting))
        accepts = _accepts(info)
        default = None if info.is_required() or info.default_factory is not None else info.default
        group = group_of(info)
        yield Declared(f"{prefix}{name}", setting, accepts, _is_list(info, accepts), default, group is not None)
        if group is not None:
            yield from _declared(group, f"{prefix}{name}.")


def group_of(info: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that is a group of settings."""
    model = info.annotation
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    return model if is_model and not issubclass(model, BaseReference) else None  # type: ignore[arg-type, return-value]


def _accepts(info: FieldInfo) -> Accepts | None:
    found = [item for item in (*info.metadata, *_metadata(info.annotation)) if isinstance(item, Accepts)]
    return found[0] if found else None


def _metadata(annotation: Any) -> Iterator[Any]:
    """The metadata of a type, of the members of a union before those of a list's items."""
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
    for inner in get_args(annotation):
        if get_origin(annotation) is not tuple:
            yield from _metadata(inner)


def _is_list(info: FieldInfo, accepts: Accepts | None) -> bool:
    return accepts is not None and get_origin(info.annotation) is tuple


def stand_in(of: Declared) -> Any:
    """Something valid in the place of a value that is not known: a reference, or an example where none can stand."""
    if not of.references:
        return of.setting.examples[0]
    key = of.references[0]
    return {key: REFERENCES[key].placeholder}


_FALSE: Final = frozenset({"false", "no", "off", "0", "f", "n"})


def is_switched_off(values: Values, path: str) -> bool:
    """A switch that is off."""
    text = values.text(path)
    return text is False or (isinstance(text, str) and text in _FALSE)


def is_well_known_host(values: Values, path: str) -> bool:
    """A host that Microsoft is known to operate."""
    text = values.text(path)
    try:
        return isinstance(text, str) and clouds.is_well_known(formats.authority(text))
    except formats.BadName:
        return True  # it can't be used at all, which is another problem


def is_beside_well_known(values: Values, path: str) -> bool:  # noqa: ARG001 - a region is put in front of the authority
    """A region of a host that is well known: it is put in front of the host, which may be a whole domain's."""
    return "authority" not in values or is_well_known_host(values, "authority")


def is_not_adfs(values: Values, path: str) -> bool:
    """A tenant of Entra ID: `adfs` means another server on the same host, which nothing vouches for."""
    return values.text(path) != clouds.ADFS
