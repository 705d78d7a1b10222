"""The first token with credconf, one phase after the other, and the seconds of each phase as JSON.

Without the imports in between, azure-core would be imported while the server answers, and MSAL while TCP and TLS
connect.
"""

# ruff: noqa: E402, F401 - imports are what is measured
import time

begun = time.perf_counter()
phases = {}


def ends(phase: str) -> None:
    """Note the end of a phase."""
    phases[phase] = time.perf_counter() - begun - sum(phases.values())


import pydantic_settings

ends("import of pydantic-settings, with pydantic")

import yaml

ends("import of PyYAML")

import credconf
import credconf.factory

ends("import of credconf's modules")

credential = credconf.from_config("identity.yaml")

ends("reading and validation of the configuration")

import msal

ends("import of MSAL")

import azure.core.credentials

ends("import of azure-core")

token = credential.get_token("https://storage.azure.com/.default")

ends("the first token, with one connection and one request")

import json

print(json.dumps(phases) if token.token else "{}", flush=True)
