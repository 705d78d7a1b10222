"""Recognises the notations of other tools for a value that they insert, in a text that nothing replaced."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from credconf.ground.records import record


@record
class Defect:
    """A probable defect of a text.

    Attributes:
        code: the code of the problem.
        what: the end of a sentence that begins with the name of the value.
        fix: what to do.
        is_variable: whether the text was meant to be replaced by a variable.
    """

    code: str
    what: str
    fix: str
    is_variable: bool = False


_TOOLS: Final = {
    "app_service": (
        r"@Microsoft\.\w+\(.*\)",
        "is a reference that App Service did not resolve (`@Microsoft.KeyVault(…)`)",
        "check that the app's identity may read the vault, or write the value itself",
    ),
    "github": (
        r"\$\{\{.*\}\}",
        "is an expression of a workflow that was not evaluated (`${{ … }}`)",
        "pass it to the program in `env:` of the step",
    ),
    "template": (
        r"\{\{.*\}\}|\{%.*%\}|<%.*%>|\[\[.*\]\]|<<.*>>",
        "is an expression of a template that was not rendered (`{{ … }}` or the like)",
        "render the template before the program starts",
    ),
    "variable": (
        r"[$%]\{[A-Za-z_][\w.:/()-]*(?:[-?+=][^{}]*)?\}|\$\$?[A-Z][A-Z0-9_]+|\$[Ee][Nn][Vv]:\w+|%%?[A-Za-z_][\w.]*%%?|%\([A-Za-z_]\w*\)s",
        "is a variable that was not expanded (`${…}` or the like)",
        "write the value itself",
    ),
    "pipeline": (
        r"\$\([\w .:'\"-]+\)|\$\[[\w .:'\"()\[\]-]+\]",
        "is a variable that the pipeline did not replace (`$(…)`)",
        "define the variable, and map it in `env:` of the step",
    ),
    "tokens": (
        r"#\{.*\}#?|__[A-Z][A-Z0-9_]*__|@@?(?:[A-Z][A-Z0-9_]*|[a-z]+(?:[._-][a-z]+)*)@@?|~\{.*\}~|\{[A-Za-z_][\w.]*\}",
        "is a token that the deployment did not replace (`#{…}#` or the like)",
        "check the step that replaces tokens",
    ),
    "encrypted": (
        r"ENC\[.*\]|ENC\(.*\)|\$ANSIBLE_VAULT;.*|-----BEGIN (?:PGP|AGE) .*|\{cipher\}.*",
        "is still encrypted by another tool",
        "decrypt it before the program starts",
    ),
    "mask": (
        r"\*{2,}|\*{3}.*|[\u2022\u25cf\u2026]+|\.{3,}|[\[<({]?(?i:redacted|masked|\(hidden\)|\[hidden\])[\])}>]?",
        "is a mask that another program showed instead of the value",
        "copy the value itself",
    ),
    "json": (r"\{\s*\".*\}", "is a JSON object, and not one of its values", "write only the value"),
    "example": (r"[<\[]+[A-Za-z][A-Za-z _./:'-]+[>\]]+", "is the placeholder of an example", "write the value itself"),
}
"""The notations of other tools for a value that they insert, what each is, and what to do. Source: their documentation.

Only a whole value counts, since a secret may hold any of these characters.
"""
_VAULTS: Final = frozenset(
    {
        "op",
        "bw",
        "bws",
        "akv",
        "akvs",
        "gsm",
        "sm",
        "vault",
        "vaults",
        "awssm",
        "doppler",
        "infisical",
        "keeper",
        "secretref",
        "keyvaultref",
        "azurekeyvault",
        "keyvault",
        "ssm",
        "secretsmanager",
    }
)
"""The schemes of addresses in vaults."""
_IN_KEY_VAULT: Final = (".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net")


@cache
def _notations() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{tool}>{pattern})" for tool, (pattern, _, _) in _TOOLS.items()), re.DOTALL)


def unresolved(text: str) -> Defect | None:
    """Return the defect of a text that is a placeholder of another tool, which nothing replaced; `None` for others."""
    if text[0].isalnum() and not text.startswith("ENC"):  # most values
        if _is_in_a_vault(text):
            return Defect(
                "not-expanded", "is the address of a value in a vault", "let the vault's tool resolve it first"
            )
        if _ASSIGNED.match(text):
            return Defect(
                "not-expanded", "begins with the name of a variable and `=`", "write only what follows the `=`"
            )
        if _is_variable(text) and not _is_example(text):
            return Defect(
                "not-expanded", "has the form of a variable's name", "write the value itself", is_variable=True
            )
        tool = "mask" if _is_mask(text) else "example" if _is_example(text) else None
    else:
        found = _notations().fullmatch(text)
        tool = found.lastgroup if found is not None else "example" if _is_example(text.strip("<>[](){}")) else None
    if tool is None:
        return None
    _, what, fix = _TOOLS[tool]
    return Defect("not-expanded", what, fix, is_variable=tool == "variable")


_SHORT: Final = 4


def _is_in_a_vault(text: str) -> bool:
    scheme, colon, rest = text.partition(":")
    if colon and rest and scheme == "https":
        return rest.removeprefix("//").partition("/")[0].endswith(_IN_KEY_VAULT)
    is_arn = scheme == "arn" and ":secretsmanager:" in rest
    # A secret may begin with the letters of a short scheme and a colon.
    is_long = len(scheme) > _SHORT or rest.startswith("//")
    return bool(rest) and ((scheme.lower() in _VAULTS and is_long) or scheme.startswith("ref+") or is_arn)


_ASSIGNED: Final = re.compile(r"(?:export )?[A-Z0-9_]*(?:SECRET|CLIENT|TENANT|PASSWORD|AZURE|CREDCONF)[A-Z0-9_]*=[^=]")


def _is_variable(text: str) -> bool:
    return "_" in text and text.isupper() and text.isascii() and text.replace("_", "").isalnum() and text[-1] != "_"


_LEAST_MASK: Final = 4


def _is_mask(text: str) -> bool:
    return {*text.lower()} <= {"x", "-"} and text.lower().count("x") >= _LEAST_MASK


_THINGS: Final = (
    "client",
    "tenant",
    "app",
    "application",
    "azure",
    "secret",
    "password",
    "id",
    "value",
    "key",
    "token",
    "directory",
    "domain",
    "company",
    "org",
)
_VERBS: Final = frozenset({"insert", "enter", "paste", "put", "replace", "change", "fill", "add", "set"})
_OBJECTS: Final = frozenset({"me", "it", "this", "in", "here", "with", "by", "your", "the", "my", *_THINGS})
_EXAMPLES: Final = frozenset(
    {
        "redacted",
        "changeme",
        "changeit",
        "replaceme",
        "fillme",
        "fillmein",
        "insertme",
        "todo",
        "fixme",
        "tbd",
        "placeholder",
        "undefined",
        "none",
        "null",
        "nil",
        "nan",
    }
)


def _is_example(text: str) -> bool:
    first, _, rest = text.lower().replace("_", "-").replace(" ", "-").partition("-")
    after = first.removeprefix("your")
    is_yours = after != first and (after or rest).startswith(_THINGS)
    is_told = first in _VERBS and rest.partition("-")[0] in _OBJECTS
    return text.lower().rstrip("0123456789!?.") in _EXAMPLES or is_yours or is_told
