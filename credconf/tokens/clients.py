"""The clients of one engine, made on first use: for Entra, and for the requests of references and kinds."""

from __future__ import annotations

import contextlib
import importlib
import threading
from typing import TYPE_CHECKING

from credconf.ground.deferred import importing, whole_packages
from credconf.settings.clouds import is_well_known

from .azure_core import import_in_background

if TYPE_CHECKING:
    from credconf.entra.client import EntraClient
    from credconf.entra.http import HttpClient
    from credconf.references import Web

    from .blueprint import Blueprint

# MSAL imports the first two with each request, if they are installed; our transport imports the others with its first.
_LATER = ("msal_extensions", "requests.exceptions", "credconf.entra.connections")


class Clients:
    """The clients of one engine.

    Args:
        blueprint: the identity, and how requests are sent.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._lock = threading.RLock()  # a signal handler of its holder may need a token
        self._client: EntraClient | None = None
        self._http: HttpClient | None = blueprint.http_client
        self._other: HttpClient | None = None
        self._closed = False

    def entra(self) -> EntraClient:
        """The client, made on first use: this imports MSAL."""
        with self._lock:
            client = self._client
        if client is None:
            made, other = self._new_client()  # not under the lock: `close()` on an event loop would wait for the import
            with self._lock:
                if self._client is None:
                    self._client, self._other = made, other
                client = self._client
                closed = self._closed
            if closed and other is not None:
                other.close()
        return client

    def _new_client(self) -> tuple[EntraClient, HttpClient | None]:
        """Make the client, and its HTTP client, if it does not share the usual one."""
        plan = self._blueprint
        with importing, whole_packages():
            from credconf.entra.transport import Transport

            other = plan.settings.instead_of_entra(plan.reader, plan.transport)
            http = other or self._sender()
            if isinstance(http, Transport) and other is None and (url := self._first_url()):
                http.open_early(url)  # it connects while this thread imports MSAL
            from credconf.entra.client import EntraClient

            for name in _LATER if plan.http_client is None else _LATER[:2]:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
        client = EntraClient(
            plan.identity,
            http,
            bounded=plan.http_client is None or other is not None,
            total_timeout=plan.transport.total_timeout,
            monotonic=plan.monotonic,
            instance_discovery=not getattr(plan.settings, "disable_instance_discovery", False),
            machine_region=plan.surroundings.region,
        )
        return client, other

    def _first_url(self) -> str | None:
        """A URL of the host that is asked first: the token endpoint's, or that of a generic server's document.

        It is `None` where Microsoft must vouch for the host first, and where a region decides on the host.
        """
        plan = self._blueprint
        authority = plan.identity.authority
        trusted = getattr(plan.settings, "disable_instance_discovery", False) or (
            authority and is_well_known(authority)
        )
        if authority and (plan.identity.region or not trusted):
            return None
        return plan.identity.oidc_authority or authority

    def _sender(self) -> HttpClient:
        """The HTTP client: the application's, or our own, which is made on first use."""
        with self._lock:
            http = self._http
        if http is None:
            with importing, whole_packages():
                from credconf.entra.transport import Transport

                importlib.import_module("credconf.entra.connections")  # which it needs for its first request
            plan = self._blueprint
            made = Transport(plan.transport, monotonic=plan.monotonic, sent=import_in_background())
            with self._lock:
                http = self._http = made if self._http is None else self._http
                closed = self._closed
            if closed:
                http.close()  # a closed client reports that it is closed, and leaves no connection
        return http

    def web(self, seconds: float) -> Web:
        """Return the object that sends the requests of references, and of kinds with their own way to a token."""
        with importing, whole_packages():
            from credconf.entra.deadline_web import DeadlineWeb

        plan = self._blueprint
        return DeadlineWeb(
            self._sender(),
            bounded=plan.http_client is None,
            deadline=plan.monotonic() + seconds,
            monotonic=plan.monotonic,
            sleep=plan.sleep,
        )

    def close(self) -> None:
        """Close the connections, including those of an application's client."""
        with self._lock:
            clients = (self._http, self._other)
            self._http, self._other, self._client = self._blueprint.http_client, None, None
            self._closed = True
        for http in clients:
            if http is not None:
                http.close()

    def after_fork(self) -> None:
        """Release the lock and forget requests under way, in the child of a fork."""
        self._lock = threading.RLock()
        if self._client is not None:
            self._client.after_fork()
