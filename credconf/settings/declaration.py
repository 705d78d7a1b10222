"""The declaration of a setting: everything about it except its type and its default.

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
"""The references that any text field accepts."""
ANY_SECRET: Final = tuple(key for key, model in REFERENCES.items() if not model.only_assertions)
"""The references that a secret accepts."""
ANY_ASSERTION: Final = tuple(REFERENCES)
"""The references that an assertion accepts."""
ANY_BYTES: Final = tuple(key for key, model in REFERENCES.items() if model.gives_bytes)
"""The references that a certificate accepts."""


class Values(Protocol):
    """The values of a configuration, for the rules of settings."""

    def text(self, path: str) -> object:
        """Return the text of a setting, or of its reference, in lower case and without surrounding space."""
        ...

    def __contains__(self, path: object) -> bool:
        """Whether a setting is given."""
        ...


@record
class Redirects:
    """The effect of a setting on the destination of a secret, or on who can read it.

    Attributes:
        decides: what it decides about: `server` (who receives what identifies the application), `proxy` (who learns the
            host), `login` (who receives a password of another service), `key` (who receives tokens that a key of ours
            encrypts). A proof is always protected.
        keeps: whether it decides where tokens are kept, instead of where a secret is sent.
        unless: returns whether its value decides nothing.
    """

    decides: tuple[str, ...] = ()
    keeps: bool = False
    unless: Callable[[Values, str], bool] = lambda values, path: False  # noqa: ARG005 - no value is harmless


@record
class Setting:
    """The declaration of one setting.

    Attributes:
        description: one sentence or two.
        examples: valid values; documentation shows the first one.
        environment: the documented `AZURE_` variables that give it; one that ends in `_FILE` or `_PATH` names a file.
        choices: the meaning of each of its values.
        words: its values by their spellings in the documented variables, in lower case.
        also_called: the names that other tools use for it, in lower case without `-` and `_`.
        alias: another name of the same setting.
        variable: whether a `CREDCONF_` variable can give it.
        is_path: whether its text is a path, relative to the file that holds it.
        is_null: whether null is one of its values.
        secret: whether it holds, or opens, a secret of this credential.
        any_character: whether a person chooses its text freely, such as a password with blanks.
        redirects: how it decides where secrets are sent.
        sent_to: who receives its text; see `Redirects.decides`.
        format: the format of its text, or of each item of its list, where the type has none.
        item: the description of one item of its list.
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
    any_character: bool = False
    redirects: Redirects | None = None
    sent_to: str | None = None
    format: Format | None = None
    item: str | None = None

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the setting in the JSON Schema of an application's model."""
        texts = {"description": self.description, "examples": list(self.examples)}
        return {**handler(schema), **{name: text for name, text in texts.items() if text}}


@record
class Accepts:
    """The valid values of a field, as part of its type: the validator that pydantic calls before its own.

    Attributes:
        validate: validates a raw value; raises `PydanticCustomError`.
        references: the keys of the references that the field accepts.
        literal: whether the field accepts literal text.
        hidden: whether its text may be, or hold, a secret.
        is_url: whether its hidden text is a URL, of which host and port may be shown.
        several: how many items a list may have; 1 where the field accepts no list.
        format: the format of its text.
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
        path: the dotted path, such as `http.timeout`.
        setting: its declaration.
        accepts: what its type accepts; `None` for a number, a boolean or a choice.
        is_list: whether it is a list of texts.
        default: its default; `None` where there is none.
        is_group: whether it is a mapping of settings.
    """

    path: str
    setting: Setting
    accepts: Accepts | None
    is_list: bool
    default: Any
    is_group: bool = False

    @property
    def references(self) -> tuple[str, ...]:
        """The keys of the references that it accepts."""
        return self.accepts.references if self.accepts is not None else ()

    @property
    def is_text(self) -> bool:
        """Whether a reference may give its text."""
        return bool(self.references)

    @property
    def only_by_reference(self) -> bool:
        """Whether it accepts only references."""
        return self.accepts is not None and not self.accepts.literal

    @property
    def hidden(self) -> bool:
        """Whether its text may be, or hold, a secret."""
        return self.accepts is not None and self.accepts.hidden

    @property
    def is_key(self) -> bool:
        """Whether its text is itself a secret, and not a URL that may hold one."""
        return self.accepts is not None and self.accepts.hidden and not self.accepts.is_url

    @property
    def accepts_url(self) -> bool:
        """Whether it is a URL that may hold a password."""
        return self.accepts is not None and self.accepts.is_url

    @property
    def is_proof(self) -> bool:
        """Whether it is a proof, or opens one, so that it is read when a token is requested."""
        return self.setting.secret and "." not in self.path

    @property
    def format(self) -> Format | None:
        """The format of its text, or of each item of its list."""
        return self.setting.format or (self.accepts.format if self.accepts is not None else None)


@cache
def declared(model: type[BaseModel]) -> tuple[Declared, ...]:
    """Return the settings of a model and of its groups, in order, including the groups themselves.

    Args:
        model: a model whose fields are declared with a `Setting`.
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
    """Return the model of a field that is a group of settings, or `None`."""
    model = info.annotation
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    return model if is_model and not issubclass(model, BaseReference) else None  # type: ignore[arg-type, return-value]


def _accepts(info: FieldInfo) -> Accepts | None:
    found = [item for item in (*info.metadata, *_metadata(info.annotation)) if isinstance(item, Accepts)]
    return found[0] if found else None


def _metadata(annotation: Any) -> Iterator[Any]:
    """Yield the metadata of a type and of the members of a union, but not of the items of a list."""
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
    for inner in get_args(annotation):
        if get_origin(annotation) is not tuple:
            yield from _metadata(inner)


def _is_list(info: FieldInfo, accepts: Accepts | None) -> bool:
    return accepts is not None and get_origin(info.annotation) is tuple


def stand_in(of: Declared) -> Any:
    """Return a valid value to use for an unknown one: a reference, or an example if it accepts none."""
    if not of.references:
        return of.setting.examples[0]
    key = of.references[0]
    return {key: REFERENCES[key].placeholder}


_FALSE: Final = frozenset({"false", "no", "off", "0", "f", "n"})


def is_switched_off(values: Values, path: str) -> bool:
    """Whether a boolean setting is off."""
    text = values.text(path)
    return text is False or (isinstance(text, str) and text in _FALSE)


def is_well_known_host(values: Values, path: str) -> bool:
    """Whether Microsoft is known to operate a host."""
    text = values.text(path)
    try:
        return isinstance(text, str) and clouds.is_well_known(formats.authority(text))
    except formats.FormatError:
        return True  # an invalid host is another problem


def is_beside_well_known(values: Values, path: str) -> bool:  # noqa: ARG001 - only the authority counts
    """Whether a region belongs to a well-known host. The region is prepended to the host name."""
    return "authority" not in values or is_well_known_host(values, "authority")


def is_not_adfs(values: Values, path: str) -> bool:
    """Whether a tenant belongs to Entra ID: `adfs` is another server on the same host, without instance discovery."""
    return values.text(path) != clouds.ADFS
