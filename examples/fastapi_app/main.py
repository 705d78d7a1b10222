"""`uvicorn main:app`, then http://127.0.0.1:8000/whoami."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, TypedDict

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

import credconf
from credconf.aio import Credential

SCOPE = "https://storage.azure.com/.default"
logger = logging.getLogger("uvicorn.error")


class State(TypedDict):
    credential: Credential


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    # If the configuration is wrong, the application does not start.
    async with credconf.aio.from_config() as credential:
        yield {"credential": credential}


def the_credential(request: Request) -> Credential:
    return request.state.credential


app = FastAPI(lifespan=lifespan)


@app.get("/whoami")
async def whoami(
    credential: Annotated[Credential, Depends(the_credential)],
) -> dict[str, object]:
    token = await credential.get_token(SCOPE)  # cached for about an hour
    return {**credential.describe(), "expires_on": token.expires_on}


@app.exception_handler(credconf.AuthenticationError)
async def no_token(
    _: Request,
    error: credconf.AuthenticationError,
) -> JSONResponse:
    logger.error("no token: %s", error)  # the reason, without any secret
    body = {
        "error": "Azure is not available",
        "correlation_id": error.correlation_id,
    }
    return JSONResponse(body, 503)
