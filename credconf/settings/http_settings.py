"""The settings of `http`, which concern every request to Entra."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator

from credconf.ground.deferred import STRICT

from .declaration import Redirects, Setting
from .faults import fault
from .fields import PlainText, Proxy, refuse_to_pickle_secrets


class HttpSettings(BaseModel):
    """The timeouts, retries, proxy and certificates of requests to Entra."""

    model_config = STRICT

    timeout: Annotated[
        float,
        Field(gt=0, le=600, allow_inf_nan=False),
        Setting(
            "The time-out of one attempt, in seconds, to connect and to receive bytes.",
            (5,),
            also_called="connectiontimeout readtimeout connecttimeout",
        ),
    ] = 10.0
    total_timeout: Annotated[
        float,
        Field(gt=0, le=3600, allow_inf_nan=False),
        Setting(
            "The time-out of a token request, in seconds, including retries and waits.",
            (60,),
            also_called="deadline overalltimeout",
        ),
    ] = 30.0
    retries: Annotated[
        int,
        Field(ge=0, le=10),
        Setting(
            "The number of retries after a failed attempt (network, 408, 429, 5xx).",
            (5,),
            also_called="retry retrytotal maxretries maxattempts",
        ),
    ] = 3
    proxy: Annotated[
        Proxy | None,
        Setting(
            "The URL of a proxy. Default: `HTTPS_PROXY`.",
            ("http://proxy.example.com:8080", {"env": "MY_PROXY"}),
            also_called="proxies proxyurl httpproxy httpsproxy",
            redirects=Redirects(("server", "proxy")),
            sent_to="login",
        ),
    ] = None
    ca_bundle: Annotated[
        PlainText | None,
        Setting(
            "A file or directory with trusted certificates. Default: `REQUESTS_CA_BUNDLE`.",
            ("/etc/ssl/certs/ca-certificates.crt",),
            also_called="verify connectionverify sslverify verifyssl cafile cacert cacerts cabundlepath "
            "requestscabundle",
            is_path=True,
            redirects=Redirects(("server", "login", "key")),  # certificates decide which proxy or store is trusted
        ),
    ] = None

    @field_validator("timeout", "total_timeout", "retries", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        if isinstance(value, bool):  # in Python, `True` equals 1
            raise fault("bad-value", "this must be a number, not a boolean")
        return value

    def __getstate__(self) -> dict[Any, Any]:
        """Refuse to pickle a password.

        Raises:
            TypeError: the proxy's URL holds a password.
        """
        refuse_to_pickle_secrets(self)
        return super().__getstate__()
