"""Explains why a client certificate can't be used, and what makes a usable file. Imported only for one that can't."""

from __future__ import annotations

import shlex
from typing import Final

from credconf.ground.key_material import NAMES, Material, pem_beside, recognised, unwrapping
from credconf.references import NotFound

_CERTIFICATES: Final = frozenset({"certificate", "pkcs7"})
_AS_PEM: Final = {
    ("certificate", True): "openssl x509 -inform der",
    ("pkcs7", True): "openssl pkcs7 -inform der -print_certs",
    ("pkcs7", False): "openssl pkcs7 -print_certs",
    ("key", True): "openssl pkey -inform der",
    ("csr", True): "openssl x509 -req -inform der -days 365 -signkey KEY",
    ("csr", False): "openssl x509 -req -days 365 -signkey KEY",
}
"""The commands that print a content as PEM, by its kind and whether it is DER. A request is signed with its own key."""
_IN_PYTHON: Final = {
    **dict.fromkeys(("base64", "base64-crlf"), "base64.b64decode(certificate_data)"),
    "escaped": r'certificate_data.replace(b"\\n", b"\n")',
    "utf-16": 'certificate_data.decode("utf-16").encode()',
}
_USABLE: Final = "the certificate and its RSA private key, as PEM or PFX"


def certificate_fault(content: bytes, label: str, file: str | None, failure: NotFound) -> NotFound:
    """Return what the content of a certificate is instead.

    Args:
        content: what could not be loaded.
        label: the name of its place in messages.
        file: the path of its file; `None` for bytes in memory.
        failure: the loader's failure, if the content is of the right kind, such as one with another password.
    """
    found = recognised(content)
    held = found.blocks or ({found.kind} if found.kind is not None else set[str]())
    is_whole = found.kind == "pfx" or ("key" in held and not _CERTIFICATES.isdisjoint(held))
    if found.wrapping is None and found.kind == "pfx":
        return failure
    if found.wrapping is None and is_whole and "certificate" in held:
        return failure
    lacks = None if is_whole or found.kind == "jks" else "its private key" if "key" not in held else "its certificate"
    what = _held(found, held)
    if lacks is not None and held and held.isdisjoint({"openssh", "html", "empty"}):
        what += f", without {lacks}"
    return NotFound("bad-certificate", f"{label} {what}", _hint(found, file, lacks))


def _held(found: Material, held: set[str] | frozenset[str]) -> str:
    if found.kind == "empty":
        return "is empty"
    if len(held) > 1 and found.wrapping is None:
        return f"holds {' and '.join(NAMES[kind] for kind in sorted(held))}"
    return f"holds {found.name}"


def _hint(found: Material, file: str | None, lacks: str | None) -> str:
    if file is None:
        return _in_python(found, lacks)
    if found.kind == "jks" and found.wrapping is None:
        made = shlex.quote(pem_beside(file, ".pfx"))
        return f"make a PFX of it: keytool -importkeystore -srckeystore {shlex.quote(file)} -destkeystore {made}"
    if found.kind == "openssh" and found.blocks:
        made = shlex.quote(pem_beside(file))
        command = f"cp {shlex.quote(file)} {made} && ssh-keygen -p -m PEM -f {made} && cat CERTIFICATE >> {made}"
        return f"make a PEM file of it, and append the certificate: {command}"
    converter = _AS_PEM.get((found.kind or "", found.is_der))
    if converter is None and found.wrapping is None and not found.blocks & {"key", "certificate"}:
        return f"write {_USABLE}"
    return _command(found, file, converter, lacks)


def _command(found: Material, file: str, converter: str | None, lacks: str | None) -> str:
    """Return the command that writes what the file holds, and what it lacks, in a usable form."""
    name, other = shlex.quote(file), "KEY" if lacks == "its private key" else "CERTIFICATE"
    source = unwrapping(found.wrapping, file) if found.wrapping is not None else f"cat {name}"
    if converter is not None:
        source = f"{source} | {converter}" if found.wrapping is not None else f"{converter} < {name}"
    made = shlex.quote(pem_beside(file, ".pfx" if found.kind == "pfx" else ".pem"))
    if lacks is None:
        return f"make a usable file of it, and name that file: {source} > {made}"
    both = f"({source}; cat {other})" if converter or found.wrapping else f"cat {name} {other}"
    return f"write both into one PEM file, and name that file: {both} > {made}"


def _in_python(found: Material, lacks: str | None) -> str:
    expression = _IN_PYTHON.get(found.wrapping or "")
    if expression is None or lacks is not None:
        return f"pass the bytes of a file with {_USABLE}"
    return f"pass certificate_data={expression}"


def not_rsa(label: str, file: str | None) -> NotFound:
    """Return the failure of a key of another kind than RSA."""
    message = f"the private key in {label} is not an RSA key; assertions are signed with PS256 or RS256"
    made, public = "entra.pem", "entra.cer"
    if file is not None:
        made = pem_beside(file, ".rsa.pem")
        public = pem_beside(file, ".rsa.cer")
    new, cer = shlex.quote(made), shlex.quote(public)
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=credconf -keyout {new} -out {cer}"
    hint = f"make an RSA key with a certificate, and upload {public} to Entra: {command} && cat {cer} >> {new}"
    return NotFound("bad-certificate", message, hint)
