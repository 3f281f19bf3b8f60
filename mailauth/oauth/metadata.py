"""
The documents that describe an authorization server and a protected resource (RFC 8414, OpenID
Connect Discovery 1.0, RFC 9728). Owns what they say and where they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from ..scopes import formatScope
from .jwt import ALGORITHMS
from .registration import DEVICE_GRANT

OPENID_CONFIGURATION = "openid-configuration"
AUTHORIZATION_SERVER = "oauth-authorization-server"
PROTECTED_RESOURCE = "oauth-protected-resource"

PROMPTS = ("none", "login", "consent", "select_account")
"""
What C{prompt} may say (OpenID Connect Core 1.0 section 3.1.2.1).
"""

CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "azp", "at_hash", "sid"),
    *("preferred_username", "email", "email_verified"),
)
"""
The claims that ID tokens and the userinfo endpoint may have.
"""

_ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "revocation_endpoint": "revoke",
    "introspection_endpoint": "introspect",
    "userinfo_endpoint": "userinfo",
    "pushed_authorization_request_endpoint": "par",
    "device_authorization_endpoint": "device_authorization",
    "end_session_endpoint": "end_session",
    "jwks_uri": "jwks.json",
}

_SECRETS = ("client_secret_basic", "client_secret_post", "private_key_jwt")


def authorizationServerMetadata(
    issuer: str,
    scopes: Iterable[str],
    algorithms: Iterable[str],
    registration: bool = True,
    clientDocuments: bool = False,
) -> dict[str, Any]:
    """
    One document for OAuth (RFC 8414 section 2) and for OpenID Connect (Discovery 1.0 section 3):
    whoever reads the one must not learn anything else than whoever reads the other.

    @param scopes: those that there are.
    @param algorithms: those that the issuer signs with.
    @param registration: clients may register themselves.
    @param clientDocuments: clients may be named by the address of their metadata document.
    """
    base = issuer.rstrip("/")
    verified = sorted(ALGORITHMS)
    members: dict[str, Any] = {
        "issuer": issuer,
        **{name: f"{base}/{path}" for name, path in _ENDPOINTS.items()},
        "scopes_supported": formatScope(frozenset(scopes)).split(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            DEVICE_GRANT,
        ],
        "code_challenge_methods_supported": ["S256"],
        # RFC 9207 section 3.
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_methods_supported": ["none", *_SECRETS],
        "token_endpoint_auth_signing_alg_values_supported": verified,
        "revocation_endpoint_auth_methods_supported": ["none", *_SECRETS],
        "revocation_endpoint_auth_signing_alg_values_supported": verified,
        "introspection_endpoint_auth_methods_supported": [*_SECRETS],
        "introspection_endpoint_auth_signing_alg_values_supported": verified,
        # RFC 9701 section 7, RFC 9126 section 5, RFC 9449 section 5.1.
        "introspection_signing_alg_values_supported": sorted(algorithms),
        "require_pushed_authorization_requests": False,
        "dpop_signing_alg_values_supported": verified,
        # OpenID Connect. Whoever leaves out the last two says that request objects may be sent.
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": sorted(algorithms),
        "claims_supported": [*CLAIMS],
        "prompt_values_supported": [*PROMPTS],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    if registration:
        members["registration_endpoint"] = f"{base}/register"
    if clientDocuments:
        members["client_id_metadata_document_supported"] = True
    return members


def protectedResourceMetadata(resource: str, issuer: str, scopes: Iterable[str]) -> dict[str, Any]:
    """
    What a resource server says about itself (RFC 9728 section 2): where its tokens come from.

    @param resource: its resource identifier, an https URL.
    @param issuer: the issuer whose tokens it takes.
    @param scopes: those that open it.
    """
    return {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": formatScope(frozenset(scopes)).split(),
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": sorted(ALGORITHMS),
    }


def wellKnownPath(identifier: str, name: str) -> str:
    """
    Where the document of an issuer or a resource is. If that has a path, OAuth's documents have the
    path behind their name (RFC 8414 section 3.1, RFC 9728 section 3.1), OpenID Connect's before it
    (Discovery 1.0 section 4.1).

    @param identifier: the issuer, or the resource.
    @param name: of the document.
    """
    path = urlsplit(identifier).path.rstrip("/")
    document = f"/.well-known/{name}"
    return path + document if name == OPENID_CONFIGURATION else document + path
