"""Promise: a configuration problem never shows a value, wherever the value was and whatever was wrong with it."""

from __future__ import annotations

import logging
import warnings

import pytest

import credconf
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, VARIABLES, assert_nothing_shows

# The canary stands for each value in turn; every one of these files is wrong in some way.
FILES = {
    "a secret beside a fault": f"{COMPLETE}clinet_id: x\n",
    "a client id beside a fault": f"tenant_id: {TENANT}\nclient_id: {CANARY}\nclinet_id: x\n",
    "a bad tenant": f"tenant_id: {CANARY}/..\nclient_id: {CLIENT}\nclient_secret: x\n",
    "a tenant that is a list": f"tenant_id: [{CANARY}]\nclient_id: {CLIENT}\nclient_secret: x\n",
    "an http authority": f"{COMPLETE}authority: http://{CANARY}\n",
    "an authority with a path": f"{COMPLETE}authority: https://login.example/{CANARY}\n",
    "an authority with a user": f"{COMPLETE}authority: https://user:{CANARY}@login.example\n",
    "a bad oidc authority": f"client_id: x\nclient_secret: {CANARY}\noidc_authority: https://{CANARY}\n",
    "an unknown cloud": f"{COMPLETE}cloud: {CANARY}\n",
    "an unknown kind": f"{COMPLETE}kind: {CANARY}\n",
    "a kind that is a mapping": f"{COMPLETE}kind: {{{CANARY}: {CANARY}}}\n",
    "a bad region": f"{COMPLETE}region: {CANARY}\n",
    "a bad boolean": f"{COMPLETE}disable_instance_discovery: {CANARY}\n",
    "a bad number": f"{COMPLETE}http: {{timeout: {CANARY}}}\n",
    "a bad whole number": f"{COMPLETE}token_cache: {{max_entries: {CANARY}}}\n",
    "a bad cache": f"{COMPLETE}token_cache: {{kind: {CANARY}}}\n",
    "a bad name of a cache": f"{COMPLETE}token_cache: {{name: '{CANARY}/..'}}\n",
    "a bad URL of a cache": f"{COMPLETE}token_cache: {{url: 'http://u:{CANARY}@cache.example'}}\n",
    "a URL and a key of another cache": f"{COMPLETE}token_cache: {{name: {CANARY}, url: 'redis://a', key: {CANARY}}}\n",
    "a group that is text": f"{COMPLETE}http: {CANARY}\n",
    "a list that is text": f"{COMPLETE}additionally_allowed_tenants: {CANARY}\n",
    "a bad tenant in a list": f"{COMPLETE}additionally_allowed_tenants: ['*', '{CANARY}/']\n",
    "a mapping in a list": f"{COMPLETE}prefetch: [{{a: {CANARY}}}]\n",
    "a bad prefix": f"{COMPLETE}env_prefix: '{CANARY}'\n",
    "a secret in a mapping": f"{ID}client_secret: {{value: {CANARY}}}\n",
    "a secret as the key of a mapping": f"{ID}client_secret: {{{CANARY}: x}}\n",
    "a secret in two references": f"{ID}client_secret: {{env: A, {CANARY}: x}}\n",
    "a secret for a variable's name": f"{ID}client_secret: {{env: '{CANARY}'}}\n",
    "a secret in a nested reference": f"{ID}client_secret: {{env: {{env: {CANARY}}}}}\n",
    "a command that is text": f"{ID}client_secret: {{command: curl {CANARY}}}\n",
    "a command that is not allowed": f"{ID}client_secret: {{command: [curl, {CANARY}]}}\n",
    "a list with a fault": f"{ID}client_secret: [{CANARY}, {{file: [x]}}]\n",
    "a list of lists": f"{ID}client_secret: [[{CANARY}]]\n",
    "a certificate that is text": f"{ID}client_certificate: {CANARY}\n",
    "a certificate from a variable": f"{ID}client_certificate: {{env: '{CANARY}'}}\n",
    "a password without its certificate": f"{ID}client_certificate_password: {CANARY}\n",
    "two proofs": f"{COMPLETE}client_certificate: {{file: x}}\n",
    "cloud and authority": f"{COMPLETE}cloud: china\nauthority: login.microsoftonline.us\n",
    "both forms": f"{COMPLETE}credentials: {{}}\n",
    "an entry that is text": f"credentials: {{a: {CANARY}}}\n",
    "entries that are a list": f"credentials: [{CANARY}]\n",
    "extends that is a mapping": f"credentials: {{a: {{extends: {{b: {CANARY}}}, client_secret: {CANARY}}}}}\n",
    "abstract that is no boolean": f"credentials: {{a: {{abstract: {CANARY}}}}}\n",
    "a secret for a name": f"credentials: {{{CANARY}: {{client_secret: {CANARY}}}}}\n",
    "a secret for a default": f"default: {CANARY}\ncredentials: {{a: {{client_secret: {CANARY}}}}}\n",
    "a secret for a parent": f"credentials: {{a: {{extends: {CANARY}}}}}\n",
    "a secret for a key": f"{ID}{CANARY}: x\n",
    "a secret for a key of a group": f"{COMPLETE}http: {{{CANARY}: x}}\n",
    "a secret twice for a key": f"{ID}{CANARY}: x\n{CANARY}: x\n",
    "a secret below a bad key": f"{COMPLETE}? {{{CANARY}: {CANARY}}}\n: x\n",
    "an alias": f"{ID}client_secret: *{CANARY.split('~', maxsplit=1)[0]}{CANARY}\n",
    "an anchor": f"{ID}client_secret: &{CANARY}\n",
    "a tag": f"{ID}client_secret: !{CANARY} x\n",
    "a tag of a handle": f"{ID}client_secret: !no!{CANARY} x\n",
    "a directive": f"%{CANARY} 1.0\n---\n{COMPLETE}",
    "an open quote": f"{ID}client_secret: '{CANARY}\n",
    "a bad escape": f'{ID}client_secret: "\\z{CANARY}"\n',
    "a tab": f"{ID}\tclient_secret: {CANARY}\n",
    "a colon too many": f"{ID}client_secret: {CANARY}: x\n",
    "a control character": f"{ID}client_secret: {CANARY}\x01\n",
    "not utf8": COMPLETE.encode() + b"\xff",
    "a proxy beside a fault": f"{ID}http: {{proxy: 'http://u:{CANARY}@h:1', retries: many}}\n",
}


@pytest.mark.parametrize("case", FILES)
def test_nothing_of_a_file_is_shown(project, caplog, case):
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        error = project.refused_text(FILES[case], name=None, allow=())
    assert error.problems
    assert CANARY not in caplog.text + repr(said)


@pytest.mark.parametrize("case", FILES)
def test_nothing_is_shown_by_from_config_either(project, case):
    project.write("app.yaml", FILES[case])
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.from_config("app.yaml", environ={})
    assert_nothing_shows(caught.value)


@pytest.mark.parametrize("name", [*VARIABLES, "AZURE_CLOUD", "AZURE_AUTHORITY_HOST", "CREDCONF_HTTP__TIMEOUT"])
def test_nothing_of_the_environment_is_shown(project, name):
    environ = {**VARIABLES, name: f"{CANARY} /\\", "CREDCONF_TENNANT_ID": CANARY, "CREDCONF_REGION": f"/{CANARY}"}
    project.refused(environ=environ)


@pytest.mark.parametrize("name", [*VARIABLES, "AZURE_CLOUD", "AZURE_AUTHORITY_HOST", "CREDCONF_HTTP__TIMEOUT"])
def test_nothing_of_a_dotenv_is_shown(project, name):
    lines = {**VARIABLES, name: f"'{CANARY} /'", "CREDCONF_TENNANT_ID": CANARY, "CREDCONF_REGION": f"/{CANARY}"}
    project.write(".env", "".join(f"{key}={value}\n" for key, value in lines.items()) + f"broken {CANARY} line\n")
    project.refused()


class Odd:
    """An object of the program, whose own `repr` shows its content."""

    def __repr__(self):
        return f"Odd({CANARY})"


ARGUMENTS = [
    {"client_secret": CANARY, "clinet_id": CANARY},
    {"client_secret": CANARY, "tenant_id": f"{CANARY}/"},
    {"client_secret": Odd()},
    {"client_secret": CANARY.encode()},
    {"client_secret": [CANARY, Odd()]},
    {"client_secret": {"env": CANARY}},
    {"client_secret": {CANARY: CANARY}},
    {"client_secret": {"file": Odd()}},
    {"client_secret": CANARY, "http": CANARY},
    {"client_secret": CANARY, "http": {"timeout": CANARY}},
    {"client_secret": CANARY, "http": {CANARY: CANARY}},
    {"client_secret": CANARY, "http": {"proxy": Odd()}},
    {"client_secret": CANARY, "env_prefix": CANARY},
    {"client_secret": CANARY, "kind": Odd()},
    {"client_secret": CANARY, "authority": Odd()},
    {"client_secret": CANARY, "cloud": CANARY},
    {"client_secret": CANARY, "prefetch": [Odd()]},
    {"client_secret": CANARY, "token_cache": Odd()},
    {"client_certificate": CANARY},
    {"client_certificate": {"file": CANARY.encode()}},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_nothing_of_the_arguments_is_shown(project, arguments):
    identity = {"tenant_id": TENANT, "client_id": CLIENT, "disable_instance_discovery": "perhaps"}
    project.refused(False, **{**identity, **arguments})


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_nothing_of_a_mapping_is_shown_by_build(arguments):
    identity = {"tenant_id": TENANT, "client_id": CLIENT, "disable_instance_discovery": "perhaps"}
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.build({**identity, **arguments})
    assert_nothing_shows(caught.value)


@pytest.mark.parametrize("configuration", [CANARY, [CANARY], None, Odd(), {CANARY: CANARY}, {1: CANARY}], ids=str)
def test_build_refuses_what_is_no_configuration(configuration):
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.build(configuration)
    assert_nothing_shows(caught.value)


def test_a_resolved_configuration_shows_no_secret(project):
    resolved = project.flat(COMPLETE, http={"proxy": f"http://u:{CANARY}@proxy.example:1"})
    shown = [str(resolved), repr(resolved), repr(resolved.settings), resolved.settings.model_dump_json()]
    shown += [repr(resolved.origins), repr(resolved.warnings), str(resolved.settings.model_dump())]
    assert all(CANARY not in text for text in shown)
