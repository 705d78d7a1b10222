"""Settings, or a secret, in the place of another argument: the exception shows nothing of them, with locals either."""

from __future__ import annotations

import pytest

import credconf
import credconf.aio
from credconf import azure_identity
from tests.config.project import CANARY, CLIENT, TENANT, assert_nothing_shows

FIELDS = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": CANARY}
IDS = (TENANT, CLIENT)
CALLS = {
    "settings as the path": lambda: credconf.from_config(FIELDS),
    "settings as the path of load()": lambda: credconf.load(FIELDS),
    "settings as the path, async": lambda: credconf.aio.from_config(FIELDS),
    "settings in a list": lambda: credconf.from_config([FIELDS]),
    "settings as the name": lambda: credconf.from_config(False, name=FIELDS),
    "settings as the .env file": lambda: credconf.from_config(env_file=FIELDS),
    "a number as allow": lambda: credconf.from_config(False, env_file=False, allow=5, **FIELDS),
    "a number as environ": lambda: credconf.from_config(False, environ=5, **FIELDS),
    "the secret as the name": lambda: credconf.from_config(False, env_file=False, name=CANARY, environ={}),
    "text to build()": lambda: credconf.build(CANARY),
    "an assertion that is no function": lambda: azure_identity.ClientAssertionCredential(*IDS, CANARY),
    "the same, async": lambda: credconf.aio.ClientAssertionCredential(*IDS, CANARY),
    "swapped arguments": lambda: azure_identity.ClientSecretCredential(CANARY, CLIENT, TENANT),
    "the same, async ": lambda: credconf.aio.ClientSecretCredential(CANARY, CLIENT, TENANT),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nothing_of_them_is_shown(call):
    with pytest.raises((TypeError, credconf.ConfigError)) as caught:
        call()
    assert_nothing_shows(caught.value)


def test_settings_as_the_path_are_told_where_they_belong():
    with pytest.raises(TypeError, match=r"pass these to build\(\), or as keyword arguments"):
        credconf.from_config(FIELDS)
