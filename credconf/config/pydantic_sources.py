"""Merges all layers with pydantic-settings, to which each layer is a source.

pydantic-settings' own sources guess types, expand text, and skip values silently. These sources pass on `Value`s, whose
`repr` shows nothing: with `PYDANTIC_SETTINGS_DEBUG`, pydantic-settings logs what its sources give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .layers import EXCLUSIVE, with_displaced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.fields import FieldInfo

    from .layers import Layer, Value

_ENTRY = "entry"


class LayerSource(PydanticBaseSettingsSource):
    """One layer without the values that a higher one excludes: an `authority` above displaces a `cloud` here."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer, number: int) -> None:
        super().__init__(settings_cls)
        self.__name__ = f"{number}: {layer.name}"  # pydantic-settings keeps the state of a source by this name
        self._layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - its signature
        """Return the whole layer as one field, whose keys are dotted paths."""
        return self._layer.values, field_name, True

    def __call__(self) -> dict[str, Any]:
        """Return the values that no higher layer excludes."""
        values: Mapping[str, Any] = self._layer.values
        above = self.current_state.get(_ENTRY, {})
        if any(name in above for name in EXCLUSIVE):
            values = {path: value for path, value in values.items() if path not in EXCLUSIVE or path in above}
        return {_ENTRY: values}


class Configuration(BaseSettings):
    """The merged layers of one credential, not validated yet, since the model depends on the kind."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, arbitrary_types_allowed=True)

    entry: dict[str, Any] = Field(default_factory=dict, repr=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by our layers, as are the two below
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the layers, highest first."""
        layers: Sequence[Layer] = getattr(init_settings, "init_kwargs", {}).get("layers", ())
        return tuple(LayerSource(settings_cls, layer, number) for number, layer in enumerate(layers))


def merge_layers(layers: Sequence[Layer]) -> dict[str, Value]:
    """Return the winning value of each dotted path; its origin holds the origins that it displaced."""
    merged = Configuration(layers=layers).entry  # type: ignore[call-arg]  # the layers are for the sources, not a field
    return {path: with_displaced(path, value, layers) for path, value in merged.items()}
