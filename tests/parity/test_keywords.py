"""Every keyword that azure-identity and azure-core document for the classes of both is mapped, or says what to do."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap

import azure.identity
import azure.identity._internal.pipeline
import pytest
from azure.core.configuration import Configuration, ConnectionConfiguration
from azure.core.pipeline import policies, transport

import credconf
from credconf.azure_identity.keywords import ELSEWHERE
from tests.parity.faces import SCOPE

TENANT, CLIENT, SECRET = "contoso.onmicrosoft.com", "11111111-1111-1111-1111-111111111111", "canary-of-a-secret"
ARGUMENTS = {
    "ClientSecretCredential": (TENANT, CLIENT, SECRET),
    "CertificateCredential": (TENANT, CLIENT, "/none.pem"),
    "ClientAssertionCredential": (TENANT, CLIENT, lambda: SECRET),
    "WorkloadIdentityCredential": (),
    "ManagedIdentityCredential": (),
    "EnvironmentCredential": (),
}

# What azure-identity's pipeline is made of: `azure.identity._internal.pipeline`.
PARTS = [
    azure.identity._internal.pipeline.build_pipeline,
    azure.identity._internal.pipeline.build_async_pipeline,
    Configuration,
    ConnectionConfiguration,
    policies.AsyncRetryPolicy,
    policies.ContentDecodePolicy,
    policies.CustomHookPolicy,
    policies.DistributedTracingPolicy,
    policies.HeadersPolicy,
    policies.HttpLoggingPolicy,
    policies.NetworkTraceLoggingPolicy,
    policies.ProxyPolicy,
    policies.RedirectPolicy,
    policies.RequestIdPolicy,
    policies.RetryPolicy,
    policies.UserAgentPolicy,
    transport.RequestsTransport,
    transport.AioHttpTransport,
]
DOCUMENTED = re.compile(r":keyword\s+(?:[^:\n]*?\s)?[*\\]*(\w+):")


def keywords_of(part: object, *, inherited: bool = True) -> set[str]:
    """The keywords of a class or a function: documented, declared, or taken from `**kwargs`."""
    parts = inspect.getmro(part) if inspect.isclass(part) and inherited else (part,)
    found = {name for each in parts if each.__module__.startswith("azure.") for name in _of_one(each)}
    return {name for name in found if not name.startswith("_")} - {"self"}


def _of_one(part: object) -> set[str]:
    found = set(DOCUMENTED.findall(part.__doc__ or ""))
    function = part.__dict__.get("__init__") if inspect.isclass(part) else part
    if function is None:
        return found
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    found |= {each.arg for each in (*tree.args.args, *tree.args.kwonlyargs)}
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and node.func.attr in {"pop", "get"} and ast.unparse(node.func.value) == "kwargs":
            found.add(ast.literal_eval(node.args[0]))
    return found


OWN = {
    kind: {
        name
        for module in (azure.identity, azure.identity.aio)
        for name in keywords_of(getattr(module, kind), inherited=False)
    }
    for kind in ARGUMENTS
}
# Of no constructor: attributes of `Configuration`, options of one request, MSAL's words, and names of earlier versions.
UNDOCUMENTED = {
    *(name for name in vars(Configuration()) if name.endswith("_policy")),
    *("validate_authority", "regional_authority", "enable_persistent_cache", "enable_support_logging"),
    *("per_call_policies", "per_retry_policies", "logging_body", "headers", "retry_on_methods"),
}
COMMON = {name for part in PARTS for name in keywords_of(part)} | UNDOCUMENTED


def error_of(face, kind, keyword):
    try:
        face.make(*ARGUMENTS[kind], kind=kind, **{keyword: None})
    except TypeError as error:
        return str(error)
    except ValueError:
        return None  # of another argument: the keyword is one
    return None


def test_there_are_keywords_of_each_sort():
    assert {"retry_total", "retry_on_methods", "raw_request_hook", "base_headers", "use_env_settings"} <= COMMON
    assert {"user_agent_overwrite", "tracing_attributes", "connection_data_block_size", "retry_policy"} <= COMMON
    assert {"certificate_data", "send_certificate_chain", "authority"} <= OWN["CertificateCredential"]
    assert {"enable_azure_proxy", "token_file_path"} <= OWN["WorkloadIdentityCredential"]


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_each_keyword_is_mapped_or_says_what_to_do(theirs_and_ours, kind):
    _, ours = theirs_and_ours
    bare = {}
    for keyword in COMMON | OWN[kind] - {*inspect.signature(getattr(credconf, kind)).parameters}:
        message = error_of(ours, kind, keyword)
        if message is not None and not message.startswith(f"{kind}() got {keyword}=: "):
            bare[keyword] = message
    assert bare == {}


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_what_a_class_documents_is_mapped(theirs_and_ours, kind):
    _, ours = theirs_and_ours
    documented = set(DOCUMENTED.findall(getattr(azure.identity, kind).__doc__))
    documented -= {*inspect.signature(getattr(credconf, kind)).parameters}
    refused = {keyword: error_of(ours, kind, keyword) for keyword in documented}
    assert {keyword: message for keyword, message in refused.items() if message} == {}


@pytest.mark.parametrize("keyword", [*ELSEWHERE, "user_agent_policy", "made_up_policy"])
def test_an_error_names_only_what_would_work(theirs_and_ours, keyword):
    _, ours = theirs_and_ours
    message = error_of(ours, "ClientSecretCredential", keyword)
    assert message is not None
    assert SECRET not in message
    named = set(re.findall(r"([a-z_]+)=(?!=)", message.partition(": ")[2])) - {"region", "http"}
    assert named <= {*credconf.azure_identity.options.Options.__annotations__}


@pytest.mark.parametrize("kind", ["ClientSecretCredential", "ManagedIdentityCredential"])
def test_a_keyword_of_nobody_says_what_to_do(theirs_and_ours, kind):
    _, ours = theirs_and_ours
    assert error_of(ours, kind, "made_up") == f"{kind}() got an unexpected keyword argument 'made_up'; remove it"


@pytest.mark.parametrize("allowed", ["*", "fabrikam.onmicrosoft.com", " contoso.com; fabrikam.onmicrosoft.com "])
def test_the_allowed_tenants_may_be_text(face, entra, allowed):
    entra.allow_any_tenant()
    credential = face.secret(entra, additionally_allowed_tenants=allowed)
    assert credential.get_token(SCOPE, tenant_id="fabrikam.onmicrosoft.com").token


def test_text_of_allowed_tenants_allows_no_part_of_a_name(theirs_and_ours, entra):
    """azure-identity looks for the tenant's name in the text, so that a part of an allowed name is allowed."""
    theirs, ours = theirs_and_ours
    entra.allow_any_tenant()
    options = {"additionally_allowed_tenants": "contoso.com.example"}
    assert theirs.secret(entra, **options).get_token(SCOPE, tenant_id="contoso.com").token
    with pytest.raises(credconf.AuthenticationError, match="additionally_allowed_tenants"):
        ours.secret(entra, **options).get_token(SCOPE, tenant_id="contoso.com")


@pytest.mark.parametrize(
    ("keyword", "meant"), [("tenant", "tenant_id"), ("claim", "claims"), ("enable_cea", "enable_cae")]
)
@pytest.mark.parametrize("method", ["get_token", "get_token_info"])
def test_a_misspelt_keyword_of_a_request_is_an_error(theirs_and_ours, entra, keyword, meant, method):
    """azure-identity's synchronous class ignores it: the token is of another tenant than the caller thinks."""
    theirs, ours = theirs_and_ours
    credential = ours.secret(entra)
    credential.get_token(SCOPE)  # also where a token is cached
    given = {keyword: "a-value"}
    with pytest.raises(TypeError, match=rf"{method}\(\) .*'{keyword}'; did you mean {meant}=\?"):
        ask(credential, method, given)
    if not theirs.is_async:
        assert ask(theirs.secret(entra), method, given).token


@pytest.mark.parametrize("method", ["get_token", "get_token_info"])
def test_another_keyword_of_a_request_is_ignored(theirs_and_ours, entra, method):
    """azure-core's protocol has `**kwargs`, which its policies hand on."""
    _, ours = theirs_and_ours
    others = {"made_up": 1, "timeout": 5, "headers": {}, "parsed_claims": {}, "resource": "x", "scope": "x"}
    assert ask(ours.secret(entra), method, others).token


def ask(credential, method, given):
    if method == "get_token":
        return credential.get_token(SCOPE, **given)
    return credential.get_token_info(SCOPE, options=given)
