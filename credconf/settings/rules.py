"""The values with which a setting decides nothing about where secrets are sent: see `Redirects.unless`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import clouds, formats

if TYPE_CHECKING:
    from .declaration import Values

_FALSE: Final = frozenset({"false", "no", "off", "0", "f", "n"})


def is_switched_off(values: Values, path: str) -> bool:
    """A switch that is off."""
    text = values.text(path)
    return text is False or (isinstance(text, str) and text in _FALSE)


def is_well_known(values: Values, path: str) -> bool:
    """A host that Microsoft is known to operate."""
    text = values.text(path)
    try:
        return isinstance(text, str) and clouds.is_well_known(formats.authority(text))
    except formats.BadName:
        return True  # it can't be used at all, which is another problem


def is_beside_well_known(values: Values, path: str) -> bool:  # noqa: ARG001 - a region is put in front of the authority
    """A region of a host that is well known: it is put in front of the host, which may be a whole domain's."""
    return "authority" not in values or is_well_known(values, "authority")


def is_not_adfs(values: Values, path: str) -> bool:
    """A tenant of Entra ID: `adfs` means another server on the same host, which nothing vouches for."""
    return values.text(path) != clouds.ADFS
