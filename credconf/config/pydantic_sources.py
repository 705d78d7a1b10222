"""The layers as pydantic-settings' sources: it merges them, highest first, and records what each one gave.

pydantic-settings' own sources guess types, expand, and skip in silence; these hand over `Value`s, whose `repr` shows
nothing (with `PYDANTIC_SETTINGS_DEBUG` set, it logs what the sources give).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .merging import EXCLUSIVE, with_displaced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.fields import FieldInfo

    from .layers import Layer, Value

_ENTRY = "entry"


class LayerSource(PydanticBaseSettingsSource):
    """One layer. What a higher layer excludes is left out: an `authority` there displaces a `cloud` here."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer, number: int) -> None:
        super().__init__(settings_cls)
        self.__name__ = f"{number}: {layer.name}"  # the states of sources are kept by this name
        self._layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - its signature
        """The whole entry is one field, whose keys are dotted paths."""
        return self._layer.values, field_name, True

    def __call__(self) -> dict[str, Any]:
        """The values that no higher layer excludes."""
        values: Mapping[str, Any] = self._layer.values
        above = self.current_state.get(_ENTRY, {})
        if any(name in above for name in EXCLUSIVE):
            values = {path: value for path, value in values.items() if path not in EXCLUSIVE or path in above}
        return {_ENTRY: values}


class Configuration(BaseSettings):
    """The merged layers of one credential, not validated yet: which model judges them depends on the kind."""

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
        """The layers, highest first."""
        layers: Sequence[Layer] = getattr(init_settings, "init_kwargs", {}).get("layers", ())
        return tuple(LayerSource(settings_cls, layer, number) for number, layer in enumerate(layers))


def merge_layers(layers: Sequence[Layer]) -> dict[str, Value]:
    """The winning value of each dotted path; its origin knows the origins that it displaced."""
    merged = Configuration(layers=layers).entry  # type: ignore[call-arg]  # the layers are for the sources, not a field
    return {path: with_displaced(path, value, layers) for path, value in merged.items()}
