"""The files that `credconf init` writes, as text."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .answers import Answers

SCHEMA = "credconf.schema.json"

# Without quotes only what every YAML reader takes for text: our own takes all for text, an editor's does not.
_PLAIN = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?!(?:null|true|false|yes|no|on|off|y|n)$)[A-Za-z/][A-Za-z0-9_./-]*",
    re.IGNORECASE,
)
_HEAD = """\
# Who this application is to Microsoft Entra ID. No secret stands here: the file belongs into version control.
# `credconf check` judges it, `credconf show` says where each value comes from, `credconf doctor` tries it.
"""
_FIELDS = """\
# The directory (tenant): its GUID or a domain name.
tenant_id: {tenant_id}

# The application (client) id: Entra admin center > App registrations > your application > Overview.
client_id: {client_id}

{proof}

cloud: {cloud}  # public | usgov | china

# Only where the defaults do not fit:
# additionally_allowed_tenants: [fabrikam.onmicrosoft.com]  # besides its own; ["*"] for all
# prefetch: [https://storage.azure.com/.default]            # fetched behind the start of the application
# http:
#   timeout: 10                                             # seconds for one attempt
#   proxy: http://proxy.example.com:8080                    # without it HTTPS_PROXY
#   ca_bundle: /etc/ssl/certs/ca-certificates.crt           # without it REQUESTS_CA_BUNDLE
"""
_PROOFS = {
    "env": """\
# What proves it: a variable of the process, else of .env. Or {{file: PATH}}, such as a mounted Kubernetes secret.
client_secret:
  env: {text}""",
    "file": """\
# What proves it: a file that holds the secret and nothing else, read when it is needed. A relative path starts here.
client_secret:
  file: {text}""",
    "certificate": """\
# What proves it: a PEM or PFX file with the certificate and its RSA private key. A relative path starts here.
client_certificate:
  file: {text}""",
}
_DOTENV_HEAD = """\
# For work on your own machine: copy this to `.env`, which no repository should hold. Deployed, the platform
# sets these variables.
# A variable of the process wins over `.env`, and `.env` over the file. Nothing is expanded; single quotes keep `#`.
"""


def configuration(answers: Answers, schema: str | None) -> str:
    """The YAML file.

    Args:
        answers: what it says.
        schema: path of the JSON Schema relative to the file; `None` for no line about it.
    """
    proof = _PROOFS[answers.place.source].format(text=scalar(answers.place.text))
    fields = _FIELDS.format(
        tenant_id=scalar(answers.tenant_id), client_id=scalar(answers.client_id), cloud=answers.cloud, proof=proof
    )
    if answers.name is not None:
        fields = f"default: {answers.name}\n\ncredentials:\n  {answers.name}:\n{textwrap.indent(fields, ' ' * 4)}"
    modeline = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return f"{modeline}{_HEAD}\n{fields}"


def scalar(text: str) -> str:
    """Text as YAML, in quotes where it could be taken for anything else."""
    # A JSON string is a double-quoted YAML scalar.
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def dotenv(answers: Answers) -> str:
    """The `.env.example`, in paragraphs."""
    prefix = "CREDCONF_" if answers.name is None else f"CREDCONF__{answers.name.upper().replace('-', '_')}__"
    place = answers.place
    lines = [_DOTENV_HEAD]
    if place.source == "env":
        lines.append("# The client secret's Value (not its ID): App registrations > Certificates & secrets.")
        lines.append(f"{place.text}=''\n")
    elif place.source == "certificate":
        lines.append("# Only if the file of the certificate has a password.")
        lines.append(f"# {prefix}CLIENT_CERTIFICATE_PASSWORD=''\n")
    whose = "the file" if answers.name is None else f"`{answers.name}`"
    lines.append(f"# Any setting of {whose} may be set here instead.")
    lines += [f"# {prefix}TENANT_ID=", f"# {prefix}HTTP__TIMEOUT=5"]
    return "\n".join(lines) + "\n"


def variables(text: str) -> set[str]:
    """The variables that a `.env.example` mentions, in comments, too."""
    return set(re.findall(r"^\s*(?:#\s*)?(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", text, re.MULTILINE))


def missing(text: str, old: str) -> str:
    """The paragraphs of a `.env.example` that another one lacks: neither word for word, nor all their variables."""
    there, known = {each.strip() for each in re.split(r"\n\s*\n", old)}, variables(old)
    paragraphs = [each for each in text.strip().split("\n\n") if each.strip() not in there]
    return "\n\n".join(each for each in paragraphs if not variables(each) or not variables(each) <= known) + "\n"


def ignored(path: str) -> str:
    """The line of a `.gitignore` for one file beside it."""
    escaped = re.sub(r"([*?\[\\])", r"\\\1", path.removeprefix("./"))
    return "/" + re.sub(r" +$", lambda spaces: "\\ " * len(spaces[0]), escaped)
