"""What azure-identity offers beside its credentials: the same names, with the same behaviour."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading

import azure.identity
import azure.identity.aio
import pytest
from azure.core.credentials import AccessToken

import credconf
import credconf.aio
from credconf.testing import AsyncStaticCredential, StaticCredential
from tests.parity.faces import OTHER_SCOPE, SCOPE, Face

MODULES = {
    "theirs-sync": azure.identity,
    "theirs-async": azure.identity.aio,
    "ours-sync": credconf,
    "ours-async": credconf.aio,
}
HOSTS = ("AZURE_PUBLIC_CLOUD", "AZURE_GOVERNMENT", "AZURE_CHINA")


def provider(face, credential, *scopes):
    return MODULES[face.name].get_bearer_token_provider(credential, *scopes)


def test_a_provider_returns_the_text_of_a_token(face, entra):
    credential = face.secret(entra)
    provide = provider(face, credential.credential, SCOPE)
    assert inspect.iscoroutinefunction(provide) is face.is_async
    text = face.run(provide())
    assert text == credential.get_token(SCOPE).token
    assert face.run(provide()) == text
    assert entra.count() == 1


def test_a_provider_takes_several_scopes(face, entra):
    entra.strict_scopes = False
    credential = face.secret(entra)
    provide = provider(face, credential.credential, SCOPE, OTHER_SCOPE)
    assert face.run(provide()) == credential.get_token(SCOPE, OTHER_SCOPE).token


def test_a_provider_raises_what_the_credential_raises(face, entra):
    provide = provider(face, face.secret(entra, client_secret="wrong-canary-secret").credential, SCOPE)
    with pytest.raises(azure.core.exceptions.ClientAuthenticationError, match="AADSTS7000215") as caught:
        face.run(provide())
    assert "canary" not in str(caught.value)


class OnlyGetToken:
    """A credential of azure-core's older protocol, which keeps no token."""

    def __init__(self):
        self.asked = 0

    def get_token(self, *scopes, **options):
        self.asked += 1
        return AccessToken(f"token-{self.asked}", 4102444800)


class OnlyAsyncGetToken(OnlyGetToken):
    async def get_token(self, *scopes, **options):
        self.asked += 1
        return AccessToken(f"token-{self.asked}", 4102444800)

    async def close(self): ...

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_): ...


def test_a_provider_takes_any_credential_and_keeps_its_token(face):
    credential = OnlyAsyncGetToken() if face.is_async else OnlyGetToken()
    provide = provider(face, credential, SCOPE)
    assert [face.run(provide()) for _ in range(3)] == ["token-1"] * 3
    assert credential.asked == 1


def test_a_provider_takes_azure_identitys_credentials(face, entra):
    """The other library's credential of the same style."""
    other = Face(face.name.replace("ours", "x").replace("theirs", "ours").replace("x", "theirs"))
    credential = other.secret(entra)
    try:
        if other._loop is not None:  # aiohttp's session belongs to one loop
            assert other.run(provider(face, credential.credential, SCOPE)())
        else:
            assert provider(face, credential.credential, SCOPE)()
    finally:
        other.finish()


def test_a_provider_takes_the_credential_of_a_test(face):
    credential = AsyncStaticCredential("a-token") if face.is_async else StaticCredential("a-token")
    assert face.run(provider(face, credential, SCOPE)()) == "a-token"


def test_a_provider_without_a_scope_is_an_error_at_once(theirs_and_ours, entra):
    _, ours = theirs_and_ours
    with pytest.raises(ValueError, match="requires at least one scope"):
        provider(ours, ours.secret(entra).credential)


@pytest.mark.parametrize("scopes", [([SCOPE],), (None,), (SCOPE, 5)])
def test_a_scope_that_is_no_text_is_an_error_at_once(theirs_and_ours, entra, scopes):
    _, ours = theirs_and_ours
    with pytest.raises(TypeError, match="each scope as a separate argument, which is text"):
        provider(ours, ours.secret(entra).credential, *scopes)


def test_what_is_no_credential_is_an_error_at_once(theirs_and_ours):
    _, ours = theirs_and_ours
    with pytest.raises(TypeError, match="takes a credential with get_token, not str") as caught:
        provider(ours, "canary-of-a-key", SCOPE)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("credential", [AsyncStaticCredential("a-token"), OnlyAsyncGetToken()])
def test_an_asynchronous_credential_is_an_error_that_names_the_other_module(credential):
    with pytest.raises(TypeError, match=r"import credconf\.aio's"):
        credconf.get_bearer_token_provider(credential, SCOPE)


def test_a_synchronous_credential_serves_coroutines_as_in_azure_identity(theirs_and_ours, entra):
    theirs, ours = theirs_and_ours
    if not theirs.is_async:
        pytest.skip("of the asynchronous style")
    assert theirs.run(provider(theirs, StaticCredential("a-token"), SCOPE)()) == "a-token"
    assert ours.run(provider(ours, StaticCredential("a-token"), SCOPE)()) == "a-token"
    with credconf.build(entra.config()) as own:
        assert ours.run(provider(ours, own, SCOPE)()) == own.get_token(SCOPE).token


def test_a_provider_of_a_closed_credential_says_so(theirs_and_ours, entra):
    _, ours = theirs_and_ours
    credential = ours.secret(entra)
    provide = provider(ours, credential.credential, SCOPE)
    ours.run(provide())
    credential.close()
    with pytest.raises(ValueError, match="closed"):
        ours.run(provide())


def test_a_provider_serves_many_threads_with_one_request(entra):
    entra.is_slow(0.1)
    with credconf.build(entra.config()) as credential:
        provide = credconf.get_bearer_token_provider(credential, SCOPE)
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(provide())) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 20
    assert entra.count() == 1


@pytest.mark.parametrize("module", [credconf, credconf.aio])
@pytest.mark.parametrize("name", HOSTS)
def test_the_hosts_are_azure_identitys(module, name):
    assert getattr(module.AzureAuthorityHosts, name) == getattr(azure.identity.AzureAuthorityHosts, name)


def test_there_are_as_many_hosts_as_in_azure_identity():
    theirs = {name for name in vars(azure.identity.AzureAuthorityHosts) if name.startswith("AZURE_")}
    assert theirs == {name for name in vars(credconf.AzureAuthorityHosts) if name.startswith("AZURE_")}


@pytest.mark.parametrize("module", [azure.identity, credconf, credconf.aio])
def test_the_host_of_the_closed_cloud_is_a_warning(module):
    with pytest.warns(DeprecationWarning, match="AZURE_GERMANY is deprecated") as caught:
        assert module.AzureAuthorityHosts.AZURE_GERMANY == "login.microsoftonline.de"
    assert caught[0].filename == __file__
    with pytest.raises(AttributeError, match="AZURE_FRANCE not found in AzureAuthorityHosts"):
        module.AzureAuthorityHosts.AZURE_FRANCE  # noqa: B018 - the look-up is what is tested


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_is_an_authority(face, name):
    hosts: list[str] = []
    host = getattr(credconf.AzureAuthorityHosts, name)
    credential = face.make("contoso.com", "app", "a-secret", authority=host, **face.deaf(hosts))
    with pytest.raises(azure.core.exceptions.AzureError):
        credential.get_token(SCOPE)
    assert hosts[0] == host


@pytest.mark.parametrize("given", [{}, {"name": "billing"}, {"allow_unencrypted_storage": True}])
def test_the_options_of_a_token_cache_have_azure_identitys_attributes(given):
    theirs, ours = azure.identity.TokenCachePersistenceOptions(**given), credconf.TokenCachePersistenceOptions(**given)
    assert vars(ours) == vars(theirs)
    assert repr(ours.name) in repr(ours)
    assert credconf.aio.TokenCachePersistenceOptions is credconf.TokenCachePersistenceOptions


@pytest.mark.parametrize("given", [{"name": 5}, {"allow_unencrypted_storage": "yes"}, {"nmae": "x"}])
def test_an_option_of_a_wrong_type_or_name_is_an_error(given):
    with pytest.raises(TypeError):
        credconf.TokenCachePersistenceOptions(**given)


@pytest.mark.parametrize("make", [azure.identity.TokenCachePersistenceOptions, credconf.TokenCachePersistenceOptions])
def test_the_options_keep_tokens_in_a_file_of_ours(theirs_and_ours, entra, make, tmp_path, monkeypatch):
    _, ours = theirs_and_ours
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    options = make(name="billing", allow_unencrypted_storage=True)
    first = ours.secret(entra, cache_persistence_options=options)
    token = first.get_token(SCOPE).token
    first.close()
    assert ours.secret(entra, cache_persistence_options=options).get_token(SCOPE).token == token
    assert entra.count() == 1


PROGRAM = """
import sys
before = set(sys.modules)
import credconf
third = {name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names - {"credconf"}
assert not third, third
from credconf import AzureAuthorityHosts, CertificateCredential, ClientAssertionCredential, ClientSecretCredential
from credconf import CredentialUnavailableError, EnvironmentCredential, ManagedIdentityCredential
from credconf import TokenCachePersistenceOptions, WorkloadIdentityCredential, get_bearer_token_provider
"""


def test_a_program_that_imports_ten_names_runs():
    """As a program that has changed its import does; `import credconf` alone imports nothing third-party."""
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
