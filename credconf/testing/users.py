"""The users of the fake: the access tokens that their clients send to an API."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from .federation import Assertion

if TYPE_CHECKING:
    from .service import TokenService


class Users:
    """The users of the fake: part of `FakeEntra`."""

    _service: TokenService
    tenant_id: str

    if TYPE_CHECKING:

        @property
        def client_id(self) -> str:
            """The id of the ready application."""
            ...

    def user_token(
        self,
        upn: str = "ada@contoso.com",
        *,
        client_id: str | None = None,
        scopes: str = "access_as_user",
        lifetime: int = 3600,
        issued_at: float | None = None,
        **claims: object,
    ) -> str:
        """Issue the access token of a user for an API, as the client of the API gets it.

        The fake knows every user. The object id (`oid`) follows from the name.

        Args:
            upn: The name of the user.
            client_id: The API: the id of its application; None for the ready one.
            scopes: The scopes of the API, with spaces between them (`scp`).
            lifetime: The seconds from `issued_at` to the expiry.
            issued_at: In seconds since 1970; None for now.
            **claims: More claims, which override the usual ones; None leaves a claim out. `aud` is the API's client
                id, `tid` the first tenant.

        Returns:
            A JWT. Each is unique.
        """
        tenant = str(claims.get("tid", self.tenant_id))
        user = oid_of(upn)
        usual = {"oid": user, "upn": upn, "scp": scopes, "tid": tenant, "idtyp": "user", "ver": "2.0"}
        start = int(self._service.clock() if issued_at is None else issued_at)
        issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
        return Assertion(issuer, user, client_id or self.client_id, start, lifetime, {**usual, **claims}).sign()


def oid_of(upn: str) -> str:
    """The object id of a user."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, upn))
