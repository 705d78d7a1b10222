"""Every place that a secret can come from: each makes a credential, of either face, that holds the canary."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

import credconf
from tests.certificates import make_certificate
from tests.secrecy.canaries import CANARY, SECRET, Canary, key_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from credconf.testing import FakeEntra
    from tests.contract.faces import Face


@dataclass
class Site:
    """A working directory, an environment and an Entra that knows the application.

    Attributes:
        path: the working directory.
        entra: its ready application has the canary for its secret.
        face: synchronous or asynchronous.
        patch: of the environment.
    """

    path: Path
    entra: FakeEntra
    face: Face
    patch: pytest.MonkeyPatch

    @property
    def module(self) -> Any:
        return self.face.module

    def yaml(self, secret: str, name: str = "app.yaml", **changes: Any) -> str:
        """Write a file with everything but the secret as JSON, which is YAML, too."""
        fields = self.fields(client_secret=None, **changes)
        lines = [f"{key}: {json.dumps(value)}" for key, value in fields.items()]
        (self.path / name).write_text("\n".join([*lines, secret, ""]), encoding="utf-8")
        return name

    def file(self, name: str, text: str = SECRET) -> str:
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def dotenv(self, name: str, text: str = SECRET) -> None:
        written = text.replace("\\", "\\\\").replace('"', '\\"')
        self.file(".env", f'{name}="{written}"\n')

    def fields(self, **changes: Any) -> dict[str, Any]:
        http = {"retries": 0, "timeout": 5, **changes.pop("http", {})}
        return self.entra.config(**{"client_secret": SECRET, "http": http, **changes})

    def from_config(self, *arguments: Any, **options: Any) -> Any:
        return self.module.from_config(*arguments, **options)


def environment(site: Site) -> Any:
    site.patch.setenv("AZURE_CLIENT_SECRET", SECRET)
    return site.from_config(site.yaml(""))


def variables_file(site: Site) -> Any:
    site.patch.setenv("AZURE_CLIENT_SECRET_FILE", site.file("secret"))
    return site.from_config(site.yaml(""))


def dotenv(site: Site) -> Any:
    site.dotenv("AZURE_CLIENT_SECRET")
    return site.from_config(site.yaml(""), env_file=".env")


def env_reference(site: Site) -> Any:
    site.patch.setenv("THE_SECRET", SECRET)
    return site.from_config(site.yaml("client_secret: {env: THE_SECRET}"))


def env_reference_to_dotenv(site: Site) -> Any:
    site.dotenv("THE_SECRET")
    return site.from_config(site.yaml("client_secret: {env: THE_SECRET}"), env_file=".env")


def file_reference(site: Site) -> Any:
    return site.from_config(site.yaml(f"client_secret: {{file: {site.file('secret')}}}"))


def list_of_references(site: Site) -> Any:
    return site.from_config(site.yaml(f"client_secret: [{json.dumps(SECRET)}, {{file: {site.file('secret')}}}]"))


def command(site: Site) -> Any:
    argv = [sys.executable, "-c", "print(open('secret').read())"]
    site.file("secret")
    return site.from_config(site.yaml(f"client_secret: {{command: {json.dumps(argv)}}}"), allow={"command"})


def argument_of_a_command(site: Site) -> Any:
    argv = [sys.executable, "-c", "import sys; print(sys.argv[1])", SECRET]
    return site.from_config(site.yaml(f"client_secret: {{command: {json.dumps(argv)}}}"), allow={"command"})


def named_entry(site: Site) -> Any:
    fields = json.dumps(site.fields())
    site.file("app.yaml", f"credentials: {{base: {fields}, billing: {{extends: base}}}}\n")
    return site.from_config("app.yaml", name="billing")


def certificate_password(site: Site) -> Any:
    path = site.path / "client.pem"
    certificate = make_certificate(path, password=SECRET)
    site.entra.register(site.entra.client_id, certificates=[certificate.pem])
    return site.from_config(site.yaml(f"client_certificate: {{file: {path}}}"), client_certificate_password=SECRET)


def constructor(site: Site, **options: Any) -> Any:
    return site.module.ClientSecretCredential(
        site.entra.tenant_id,
        site.entra.client_id,
        SECRET,
        authority=site.entra.authority,
        disable_instance_discovery=True,
        connection_verify=site.entra.ca_bundle,
        retry_total=0,
        **options,
    )


def constructor_of_a_certificate(site: Site, *arguments: Any, **options: Any) -> Any:
    return site.module.CertificateCredential(
        site.entra.tenant_id,
        site.entra.client_id,
        *arguments,
        authority=site.entra.authority,
        disable_instance_discovery=True,
        connection_verify=site.entra.ca_bundle,
        retry_total=0,
        **options,
    )


def password_of_a_constructor(site: Site) -> Any:
    path = site.path / "client.pem"
    certificate = make_certificate(path, password=SECRET)
    site.entra.register(site.entra.client_id, certificates=[certificate.pem])
    return constructor_of_a_certificate(site, str(path), password=SECRET)


class Application(BaseSettings):
    """An application's own settings class, with a credential as one field."""

    model_config = SettingsConfigDict(env_prefix="APP_", env_nested_delimiter="__")

    login: credconf.Settings
    threads: int = 1


def embedded(site: Site) -> Any:
    fields = site.fields()
    site.patch.setenv("APP_LOGIN", json.dumps(fields))
    return site.module.build(Application().login)  # type: ignore[call-arg]


def proxied(site: Site, place: Callable[[Site, str], Any]) -> Any:
    """The password of a proxy that does not exist."""
    return place(site, f"http://user:{quote(SECRET, safe='')}@127.0.0.1:9")


def proxy_in_the_environment(site: Site, url: str) -> Any:
    site.patch.setenv("HTTPS_PROXY", url)
    return site.from_config(site.yaml("client_secret: another"))


def proxy_in_a_dotenv(site: Site, url: str) -> Any:
    site.dotenv("CREDCONF_HTTP__PROXY", url)
    return site.from_config(site.yaml("client_secret: another"), env_file=".env")


SECRETS: dict[str, Callable[[Site], Any]] = {
    "literal": lambda site: site.from_config(site.yaml(f"client_secret: {json.dumps(SECRET)}")),
    "literal in a found file": lambda site: (
        site.yaml(f"client_secret: {json.dumps(SECRET)}", "credconf.yaml"),
        site.from_config(),
    )[1],
    "list": list_of_references,
    "named entry": named_entry,
    "environment": environment,
    "variable that names a file": variables_file,
    ".env": dotenv,
    "env reference": env_reference,
    "env reference to .env": env_reference_to_dotenv,
    "file reference": file_reference,
    "command": command,
    "argument of a command": argument_of_a_command,
    "keyword argument": lambda site: site.from_config(site.yaml(""), client_secret=SECRET),
    "SecretStr": lambda site: site.from_config(site.yaml(""), client_secret=SecretStr(SECRET)),
    "build of a mapping": lambda site: site.module.build(site.fields()),
    "build of a model": lambda site: site.module.build(credconf.load(site.yaml(""), client_secret=SECRET).settings),
    "build of what was loaded": lambda site: site.module.build(credconf.load(site.yaml(""), client_secret=SECRET)),
    "constructor": constructor,
    "embedded": embedded,
}
PASSWORDS: dict[str, Callable[[Site], Any]] = {
    "certificate password": certificate_password,
    "password of a constructor": password_of_a_constructor,
}
PROXIES: dict[str, Callable[[Site], Any]] = {
    name: lambda site, place=place: proxied(site, place)
    for name, place in {
        "proxy literal": lambda site, url: site.from_config(site.yaml("client_secret: another", http={"proxy": url})),
        "proxy by argument": lambda site, url: site.from_config(
            site.yaml("client_secret: another"), http={"proxy": url}
        ),
        "proxy by reference": lambda site, url: site.from_config(
            site.yaml("client_secret: another", http={"proxy": {"file": site.file("proxy", url)}})
        ),
        "proxy in the environment": proxy_in_the_environment,
        "proxy in .env": proxy_in_a_dotenv,
        "proxy of a constructor": lambda site, url: constructor(site, proxies={"https": url}),
    }.items()
}


def private_key(site: Site, *, how: str) -> tuple[Any, Canary]:
    """A certificate whose key is the canary: in a PEM or PFX file, or as the program's bytes."""
    path = site.path / ("client.pfx" if how == "pfx" else "client.pem")
    certificate = make_certificate(path, password=SECRET if how == "pfx" else None)
    site.entra.register(site.entra.client_id, certificates=[certificate.pem])
    content = path.read_bytes()
    if how == "pfx":
        key: Any = serialization.pkcs12.load_key_and_certificates(content, SECRET.encode())[0]
    else:
        key = serialization.load_pem_private_key(content, None)
    kinds = (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL)
    written = [
        key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode() for kind in kinds
    ]
    lines = tuple(line for text in written for line in key_of(text).secrets)
    canary = Canary((*lines, SECRET) if how == "pfx" else lines)
    if how == "data":
        return constructor_of_a_certificate(site, certificate_data=content), canary
    password = {"client_certificate_password": SECRET} if how == "pfx" else {}
    return site.from_config(site.yaml(f"client_certificate: {{file: {path}}}"), **password), canary


PLACES: dict[str, Callable[[Site], tuple[Any, Canary]]] = {
    **{
        name: lambda site, make=make: (make(site), CANARY) for name, make in {**SECRETS, **PASSWORDS, **PROXIES}.items()
    },
    **{f"private key: {how}": lambda site, how=how: private_key(site, how=how) for how in ("pem", "pfx", "data")},
}
