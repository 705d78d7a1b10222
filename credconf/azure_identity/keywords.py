"""The keywords of azure-identity and azure-core that have no effect here, and what to do instead of each.

Only a wrong keyword imports this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credconf.problems import closest

if TYPE_CHECKING:
    from collections.abc import Collection

_OWN_CLIENT: Final = "pass http_client=, an object with get, post and close"
_RETRIES: Final = "retry_total= is the number of retries; the response decides when, and the waits grow: remove it"
_POLICIES: Final = f"azure-core policies are not used here: {_OWN_CLIENT}"
_REDIRECTS: Final = "redirects are not followed, as a secret goes only to the configured authority: remove it"
_TRACING: Final = (
    "azure-core's tracing and logging are not used here: remove it; logging_enable= logs requests at DEBUG"
)
_HEADERS: Final = f"the headers are credconf's own: remove it, or {_OWN_CLIENT} that adds yours"
_USER_AGENT: Final = "the User-Agent is credconf's own, with the text of user_agent= before it: remove it"
_REQUEST_ID: Final = "each request has its own id, which an error shows: remove it"
_CACHE: Final = "pass cache_persistence_options=TokenCachePersistenceOptions()"
_NO_EFFECT: Final = "it has no effect on token requests: remove it"

ELSEWHERE: Final[dict[str, str]] = {
    "transport": f"an azure-core transport is not used here: {_OWN_CLIENT}",
    **dict.fromkeys(("policies", "per_call_policies", "per_retry_policies", "retry_policy_class"), _POLICIES),
    **dict.fromkeys(
        (
            "retry_connect",
            "retry_read",
            "retry_status",
            "retry_backoff_factor",
            "retry_backoff_max",
            "retry_mode",
            "retry_on_methods",
            "retry_on_status_codes",
        ),
        _RETRIES,
    ),
    "raw_request_hook": f"requests hold secrets and are not passed on: remove it, or {_OWN_CLIENT}",
    "raw_response_hook": f"responses hold tokens and are not passed on: remove it, or {_OWN_CLIENT}",
    "logging_body": "bodies hold secrets and tokens, and are never logged: remove it; logging_enable= logs requests",
    "enable_support_logging": "personal data is never logged: remove it; logging_enable= logs requests",
    **dict.fromkeys(
        (
            "http_logging_level",
            "logger",
            "tracing_attributes",
            "network_span_namer",
            "instrumentation_config",
            "additional_allowed_query_params",
        ),
        _TRACING,
    ),
    **dict.fromkeys(("headers", "base_headers"), _HEADERS),
    **dict.fromkeys(("user_agent_overwrite", "user_agent_use_env", "base_user_agent", "sdk_moniker"), _USER_AGENT),
    **dict.fromkeys(("request_id", "auto_request_id", "request_id_header_name"), _REQUEST_ID),
    **dict.fromkeys(
        ("permit_redirects", "redirect_max", "redirect_remove_headers", "redirect_on_status_codes"), _REDIRECTS
    ),
    "connection_cert": f"a client certificate for TLS needs your own HTTP client: {_OWN_CLIENT}",
    **dict.fromkeys(
        ("session", "session_owner", "loop", "trio_limiter"), f"the session is credconf's own: {_OWN_CLIENT}"
    ),
    "use_env_settings": "HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE are read: remove it; NO_PROXY=* means no proxy, "
    "connection_verify= names the certificates",
    **dict.fromkeys(
        ("connection_data_block_size", "decompress", "polling_interval", "response_encoding", "stream"), _NO_EFFECT
    ),
    "timeout": "pass connection_timeout= and read_timeout=, or use from_config(http={'total_timeout': SECONDS})",
    "validate_authority": "pass disable_instance_discovery=True for an authority that Microsoft does not know",
    **dict.fromkeys(
        ("regional_authority", "azure_region"), "set AZURE_REGIONAL_AUTHORITY_NAME, or use from_config(region=REGION)"
    ),
    **dict.fromkeys(("enable_persistent_cache", "allow_unencrypted_cache", "cache", "cae_cache"), _CACHE),
}
"""Each keyword that has no effect here, with what to do instead."""


def instead_of(keyword: str) -> str | None:
    """Return what to do instead of a keyword of azure-identity or azure-core; `None` for any other keyword."""
    return ELSEWHERE.get(keyword) or (_POLICIES if keyword.endswith("_policy") else None)


def refusal(keyword: str, known: Collection[str], others: Collection[str]) -> str:
    """Return why a class does not take a keyword, as the end of a sentence.

    Args:
        keyword: the keyword.
        known: the keywords of the class.
        others: those of other classes.
    """
    if instead := instead_of(keyword):
        return f"got {keyword}=: {instead}"
    if keyword in others:
        return f"got {keyword}=: the endpoint of a managed identity does not need it: remove it"
    meant = closest(keyword, known)
    hint = f"did you mean {meant}=?" if meant else "remove it"
    return f"got an unexpected keyword argument {keyword!r}; {hint}"
