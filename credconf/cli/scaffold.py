"""The files that `credconf init` writes, as text."""

from __future__ import annotations

import json
import os
import re
import textwrap
from typing import Final

from credconf.ground.records import record

SCHEMA: Final = "credconf.schema.json"
# Plain scalars that every YAML reader takes for text. Any other text is quoted.
_PLAIN: Final = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?!(?:null|true|false|yes|no|on|off|y|n)$)[A-Za-z/][A-Za-z0-9_./-]*",
    re.IGNORECASE,
)
_HEAD: Final = """\
# The identity of this application in Microsoft Entra ID. The file contains no secret: commit it.
# `credconf check` validates it, `credconf show` shows the origin of each value, `credconf doctor` requests a token.
"""
_SETTINGS: Final = """\
# The directory (tenant): its GUID or a domain name.
tenant_id: {tenant_id}

# The application (client) id: Entra admin center > App registrations > your application > Overview.
client_id: {client_id}

{proof}

cloud: {cloud}  # public | usgov | china

# Optional settings:
# additionally_allowed_tenants: [fabrikam.onmicrosoft.com]  # other tenants to request tokens from; ["*"] for all
# prefetch: [https://storage.azure.com/.default]            # tokens to fetch at the start, in the background
# http:
#   timeout: 10                                             # seconds per attempt
#   proxy: http://proxy.example.com:8080                    # the default is HTTPS_PROXY
#   ca_bundle: /etc/ssl/certs/ca-certificates.crt           # the default is REQUESTS_CA_BUNDLE
"""
_PROOFS: Final = {
    "env": """\
# The secret: a variable of the process or of .env. Or {{file: PATH}}, such as a mounted Kubernetes secret.
client_secret:
  env: {text}""",
    "file": """\
# The secret: a file that holds it and nothing else. A relative path starts at the directory of this file.
client_secret:
  file: {text}""",
    "certificate": """\
# The certificate: a PEM or PFX file with its RSA private key. A relative path starts at the directory of this file.
client_certificate:
  file: {text}""",
}
_VALUE: Final = "# The client secret's Value (not its Secret ID): App registrations > Certificates & secrets.\n"
SOURCES: Final = frozenset(_PROOFS)
_EXAMPLE_HEAD: Final = """\
# For local development: copy this file to `.env`, and never commit `.env`. In production, the platform sets these
# variables. The process environment overrides `.env`, and `.env` overrides the file. Values are literal: nothing
# expands in them. Single quotes keep a `#`.
"""


@record
class Answers:
    """The answers from which the files are written.

    Attributes:
        tenant_id: a GUID or a domain.
        client_id: a GUID.
        cloud: the name of a cloud.
        source: `env`, `file` or `certificate`: the type of the secret's place.
        place: the name of the variable, or the path.
        name: the name of the entry; `None` for the flat form.
    """

    tenant_id: str
    client_id: str
    cloud: str
    source: str
    place: str
    name: str | None


def configuration(answers: Answers, *, schema: bool) -> str:
    """The YAML file; with `schema`, it begins with the modeline for editors."""
    fields = _SETTINGS.format(
        tenant_id=scalar(answers.tenant_id),
        client_id=scalar(answers.client_id),
        cloud=answers.cloud,
        proof=proof(answers.source, answers.place),
    )
    if answers.name is not None:
        fields = f"default: {answers.name}\n\ncredentials:\n  {answers.name}:\n{textwrap.indent(fields, ' ' * 4)}"
    modeline = f"# yaml-language-server: $schema={SCHEMA}\n" if schema else ""
    return f"{modeline}{_HEAD}\n{fields}"


def proof(source: str, place: str) -> str:
    """The lines of the secret or certificate."""
    return _PROOFS[source].format(text=scalar(place))


def scalar(text: str) -> str:
    """Text as a YAML scalar, quoted if it could be read as another type."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)  # JSON strings are YAML


def dotenv_example(answers: Answers, old: str | None) -> str:
    """`.env.example`: the old text, and a paragraph for each variable that it lacks."""
    paragraphs = _paragraphs(answers)
    if old is None:
        return "\n".join([_EXAMPLE_HEAD, *paragraphs.values()])
    return "\n".join([old, *(text for name, text in paragraphs.items() if f"{name}=" not in old)])


def _paragraphs(answers: Answers) -> dict[str, str]:
    prefix = "CREDCONF_" if answers.name is None else f"CREDCONF__{answers.name.upper().replace('-', '_')}__"
    password = f"{prefix}CLIENT_CERTIFICATE_PASSWORD"
    example = f"{prefix}HTTP__TIMEOUT"
    whose = "the file" if answers.name is None else f"`{answers.name}`"
    paragraphs = {
        "env": {answers.place: f"{_VALUE}{answers.place}=''\n"},
        "file": {},
        "certificate": {password: f"# The password of the certificate's file, if it has one.\n# {password}=''\n"},
    }
    settings = f"# Variables can override any setting of {whose}.\n# {prefix}TENANT_ID=\n# {example}=5\n"
    return {**paragraphs[answers.source], example: settings}


def gitignore(answers: Answers, directory: str, *, covered: bool) -> list[str]:
    """The lines that `.gitignore` needs: for `.env`, unless one covers it, and for the secret's file below this one.

    Args:
        answers: what to write.
        directory: the directory of the configuration, relative to the working directory.
        covered: a line of some `.gitignore` covers `.env`.
    """
    lines = [] if covered else [".env"]
    secret = os.path.relpath(os.path.join(directory, answers.place)).replace(os.sep, "/")
    if answers.source != "env" and not secret.startswith("../") and not os.path.isabs(answers.place):
        lines.append(ignored(secret))
    return lines


def ignored(path: str) -> str:
    """The line of `.gitignore` for one file."""
    escaped = re.sub(r"([*?\[\\])", r"\\\1", path.removeprefix("./"))
    return "/" + re.sub(r" +$", lambda spaces: "\\ " * len(spaces[0]), escaped)
