"""`uvicorn main:app`: an API that calls Microsoft Graph with the permissions of its user."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, TypedDict

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

import credconf
from credconf import http_auth
from credconf.aio import Credential

GRAPH = "https://graph.microsoft.com"


class State(TypedDict):
    credential: Credential
    graph: httpx.AsyncClient
    keys: jwt.PyJWKClient


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    async with credconf.aio.from_config() as credential, httpx.AsyncClient(base_url=GRAPH) as graph:
        whose = credential.describe()
        keys = jwt.PyJWKClient(f"{whose['authority']}/{whose['tenant_id']}/discovery/v2.0/keys")
        yield {"credential": credential, "graph": graph, "keys": keys}


app = FastAPI(lifespan=lifespan)


def unauthorized(error: str) -> HTTPException:
    return HTTPException(401, headers={"WWW-Authenticate": f"Bearer {error}"})


def verified(request: Request) -> str:
    """Return the caller's access token, verified to be a user's token for this API."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized('realm=""')
    whose = request.state.credential.describe()
    client, tenant = whose["client_id"], whose["tenant_id"]
    issuers = [f"https://login.microsoftonline.com/{tenant}/v2.0", f"https://sts.windows.net/{tenant}/"]
    try:
        key = request.state.keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, ["RS256"], audience=[client, f"api://{client}"], issuer=issuers)
    except jwt.PyJWKClientConnectionError:
        raise HTTPException(503) from None
    except jwt.PyJWTError:
        raise unauthorized('error="invalid_token"') from None
    if "access_as_user" not in claims.get("scp", "").split():
        raise HTTPException(403)
    return token


def the_user(request: Request, token: Annotated[str, Depends(verified)]) -> Credential:
    return request.state.credential.on_behalf_of(token)


def the_graph(request: Request) -> httpx.AsyncClient:
    return request.state.graph


@app.get("/me")
async def me(
    user: Annotated[Credential, Depends(the_user)], graph: Annotated[httpx.AsyncClient, Depends(the_graph)]
) -> dict[str, str]:
    auth = http_auth.for_httpx(user, f"{GRAPH}/User.Read", origin=GRAPH)
    answer = await graph.get("/v1.0/me", auth=auth)
    answer.raise_for_status()
    return {"name": answer.json()["displayName"]}


@app.exception_handler(credconf.AuthenticationError)
async def no_token(_: Request, error: credconf.AuthenticationError) -> JSONResponse:
    body = {"error": "no token for the user", "correlation_id": error.correlation_id}
    if error.claims is not None:  # the caller's client signs the user in again, with these claims
        claims = base64.b64encode(error.claims.encode()).decode()
        challenge = f'Bearer error="insufficient_claims", claims="{claims}"'
        return JSONResponse(body, 401, headers={"WWW-Authenticate": challenge})
    return JSONResponse(body, 503)
