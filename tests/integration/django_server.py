"""django-oauth-toolkit over HTTPS: `python django_server.py CERTIFICATE KEY DATABASE`.

The client is taken from TEST_CLIENT_ID, TEST_CLIENT_SECRET and TEST_SCOPE. The issuer is printed once it listens.
"""

from __future__ import annotations

import os
import ssl
import sys
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

PATH = "o"


class Server(ThreadingMixIn, WSGIServer):
    """wsgiref with TLS: the handshake happens in the connection's own thread, so that a slow client blocks no other."""

    daemon_threads = True
    context: ssl.SSLContext

    def setup_environ(self) -> None:
        super().setup_environ()
        self.base_environ["HTTPS"] = "on"  # wsgiref takes its url scheme from here

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        connection, address = super().get_request()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


class Handler(WSGIRequestHandler):
    timeout = 20  # seconds


def main(certificate: str, key: str, database: str) -> None:
    server = Server(("127.0.0.1", 0), Handler)
    server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.context.load_cert_chain(certificate, key)
    issuer = f"https://127.0.0.1:{server.server_port}/{PATH}"
    configure(issuer, database)
    server.set_app(get_wsgi_application())
    print("listening at", issuer, flush=True)
    server.serve_forever()


def configure(issuer: str, database: str) -> None:
    """Set up Django, the tables and the one client."""
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": issuer,
            "OIDC_RSA_PRIVATE_KEY": private_key.decode(),
            "SCOPES": {os.environ["TEST_SCOPE"]: "what the tests ask for", "openid": "OpenID Connect"},
            "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
        },
        ROOT_URLCONF=__name__,
        SECRET_KEY=os.urandom(32).hex(),
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from oauth2_provider.models import Application  # a model, so not before Django is set up

    Application.objects.create(
        name="credconf",
        client_id=os.environ["TEST_CLIENT_ID"],
        client_secret=os.environ["TEST_CLIENT_SECRET"],  # kept as a hash
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    urlpatterns.append(path(f"{PATH}/", include("oauth2_provider.urls", namespace="oauth2_provider")))


urlpatterns: list[object] = []

if __name__ == "__main__":
    main(*sys.argv[1:])
