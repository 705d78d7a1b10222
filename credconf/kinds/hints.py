"""Hints for keys that other tools use, with the setting to write instead.

The names are those of azure-identity's own keywords and variables, of the Azure CLI (`az ad sp create-for-rbac` prints
`appId`, `password` and `tenant`), of Terraform, of MSAL's and of .NET's configuration files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credconf.ground.records import record
from credconf.problems import closest, folded
from credconf.references import REFERENCES

from .registry import NESTED, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_OF_AN_ENTRY: Final = {
    "extends": "extend inherits inherit parent parents base from",
    "abstract": "template hidden",
}
_SETTING_CALLED: Final = {
    word: path.rpartition(".")[2] for path, each in SETTINGS.items() for word in each.setting.also_called.split()
} | {word: name for name, words in _OF_AN_ENTRY.items() for word in words.split()}
_SCOPES: Final = "a scope is an argument of get_token(); `prefetch` fetches tokens early"
_USERS: Final = "remove it: an application signs in here, not a user"
_NOT_SETTINGS: Final = {
    **dict.fromkeys(("scope", "scopes", "resource", "audience"), _SCOPES),
    **dict.fromkeys(("username", "user", "login", "email"), _USERS),
    **dict.fromkeys(
        ("subscriptionid", "azuresubscriptionid"),
        "remove it: a subscription is an argument of an Azure client; `kind: azure_cli` takes `subscription`",
    ),
    "usecli": 'write `kind: azure_cli`, which needs allow={"azure_cli"} in the program',
    **dict.fromkeys(
        ("instancediscovery", "validateauthority"), "write `disable_instance_discovery`, which means the opposite"
    ),
    **dict.fromkeys(
        ("thumbprint", "certificatethumbprint", "clientcertificatethumbprint"),
        "remove it: credconf computes it from the certificate",
    ),
    **dict.fromkeys(("logging", "loggingenable", "loglevel"), "remove it: set the level of the logger `credconf`"),
    **dict.fromkeys(
        ("managedidentity", "managedidentityclientid", "usemsi", "msi"),
        "write `kind: managed_identity`, and `client_id` if the identity is user-assigned",
    ),
}
PARAMETERS_CALLED: Final = {
    **dict.fromkeys(("file", "files", "filename", "config", "config_file", "config_path", "yaml"), "path"),
    **dict.fromkeys(("entry", "profile", "credential"), "name"),
    **dict.fromkeys(("env", "environment", "variables"), "environ"),
    **dict.fromkeys(("dotenv", "dotenv_path"), "env_file"),
}
"""The keywords of `from_config()` that are no settings, by other words for them."""
_OTHER_LEVEL: Final = {
    **dict.fromkeys(("extends", "abstract"), "it belongs in an entry of `credentials`"),
    **dict.fromkeys(("default", "credentials"), "it belongs at the top of the file"),
}
VARIABLE_PREFIXES: Final = ("AZURE_AD", "AZUREAD", "AZURE", "CREDCONF", "ARM", "AAD", "ENTRA", "MSAL", "AZ")
"""The prefixes of variables for this purpose, here and in other tools. A longer prefix precedes its own beginning."""
_SUFFIXES: Final = {"path": "file", **{key: key for key in REFERENCES}}
"""The suffixes that other tools append to a setting's name, with the reference that each means."""
_LONGEST: Final = 40
_OTHER_FILES: Final = (
    (("clouds",), "clouds.yaml of OpenStack"),
    (("apiVersion", "clusters"), "a kubeconfig"),
    (("apiVersion", "kind", "metadata"), "a manifest of Kubernetes"),
    (("services",), "a file of Docker Compose"),
    (("jobs", "on"), "a workflow of GitHub Actions"),
    (("pool", "steps"), "a pipeline of Azure Pipelines"),
    (("terraform_version", "resources"), "a state of Terraform"),
)
"""Files of other tools, by keys that all of them have at the top. At least one of these holds a mapping or a list."""


@record
class Hint:
    """Return the fix for a key that is not a setting.

    Attributes:
        text: the hint for the user.
        meant: the dotted path of the setting that it suggests; `None` where it suggests none.
    """

    text: str
    meant: str | None = None


def hint_for(name: str, known: Collection[str]) -> Hint | None:
    """Return the hint for a key that is not a setting; `None` for one that resembles none.

    Args:
        name: the key.
        known: the settings that the mapping may hold.
    """
    if len(name) > _LONGEST:
        return None
    key, colon, _ = name.partition(":")
    if colon and key in known:
        return Hint(f"write a space after `{key}:`", key)
    word = folded(name)
    same = next((setting for setting in known if folded(setting) == word), None)
    if same is not None:
        return Hint(f"did you mean `{same}`? settings are written in lower case, with `_`", same)
    prefixes = (folded(prefix) for prefix in VARIABLE_PREFIXES if name.startswith(f"{prefix}_") and name.isupper())
    prefix = next(prefixes, None)
    if prefix is not None and (meant := _setting_for(word.removeprefix(prefix), known)):
        return Hint(f"that is the name of a variable; write `{meant}` here", meant)
    text = _NOT_SETTINGS.get(word) or _OTHER_LEVEL.get(word)
    return (
        (Hint(text) if text else _reference(name, known))
        or _did_you_mean(_setting_for(word, known))
        or _moved(word, known)
        or _did_you_mean(closest(name, known))
    )


def file_of_another_tool(keys: Collection[str], nested: Collection[str]) -> tuple[str, str] | None:
    """Return a key by which the file of another tool is recognised, and what file that is.

    Args:
        keys: the keys at the top of the file.
        nested: those of them that hold a mapping or a list.
    """
    for signature, what in _OTHER_FILES:
        if {*signature} <= {*keys} and not {*signature}.isdisjoint(nested):
            return signature[0], what
    return None


def setting_called() -> Mapping[str, str]:
    """Return the settings by the names that other tools use, in lower case without `-` and `_`."""
    return _SETTING_CALLED


def _setting_for(word: str, known: Collection[str]) -> str | None:
    # The singular also matches: `credential` for `credentials`.
    meant = next((setting for setting in known if folded(setting) in {word, f"{word}s"}), _SETTING_CALLED.get(word))
    return meant if meant in known else None


def _reference(name: str, known: Collection[str]) -> Hint | None:
    """Suggest a reference for `client_secret_file: PATH`, the notation of variables and Docker images."""
    setting, _, suffix = name.rpartition("_")
    key = _SUFFIXES.get(suffix)
    if key is None or setting not in known or key not in (SETTINGS[setting].references if setting in SETTINGS else ()):
        return None
    return Hint(f"write `{setting}: {{{key}: {REFERENCES[key].placeholder}}}`", setting)


def _moved(word: str, known: Collection[str]) -> Hint | None:
    """Suggest the group for a setting that is beside it: `http: {timeout: …}` for `timeout`."""
    for group, leaves in NESTED.items():
        leaf = word.replace(".", "").removeprefix(folded(group)) or word
        if group in known and (meant := _setting_for(word, leaves) or _setting_for(leaf, leaves)):
            return Hint(f"write it below `{group}`: `{group}: {{{meant}: …}}`", f"{group}.{meant}")
    return None


def _did_you_mean(meant: str | None) -> Hint | None:
    return Hint(f"did you mean `{meant}`?", meant) if meant else None


def shape_of_group(group: str, written: object) -> str:
    """Return what to write for a group of settings, such as `token_cache: {kind: redis}` for `token_cache: redis`.

    Args:
        group: the name of the group.
        written: what was written instead of a mapping. It is shown only if it is one of the values of a setting.
    """
    choices = {
        value: path.rpartition(".")[2]
        for path, each in SETTINGS.items()
        if path.startswith(f"{group}.")
        for value in each.setting.choices
    }
    if isinstance(written, str) and written.strip() in choices:
        return f"write `{group}: {{{choices[written.strip()]}: {written.strip()}}}`"
    example = ", ".join(f"{name}: {value}" for name, value in SETTINGS[group].setting.examples[0].items())
    return f"write a mapping, such as `{group}: {{{example}}}`"
