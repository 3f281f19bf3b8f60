"""
Clients that register themselves (RFC 7591). Owns what a client may say about itself, and what
becomes of it.

Nobody vouches for any of it, so nothing of it is fetched, and a client gets no secret: there is
nothing to prove with it. What the server does not know it ignores (section 2); of what it knows, it
refuses what it would not do, but for the authentication method: whoever asks for a secret, which is
what the standard's default asks for, is told C{"none"}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..scopes import KNOWN_SCOPES, formatScope, parseScope
from .records import Client
from .redirects import isClaimedHTTPS, registrable
from .responses import OAuthError

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

GRANT_TYPES = frozenset({"authorization_code", "refresh_token", DEVICE_GRANT})
"""
What a client without a secret may do.
"""

MAX_URIS = 10
MAX_NAME = 80
MAX_ADDRESS = 200

MAX_KEPT = 1200
"""
How many octets of what it says about itself a client may make the server keep: its id consists of
them.
"""

_SECRETS = frozenset({"client_secret_basic", "client_secret_post", "none"})

# A home page, which is shown and never fetched. No user name: that would look like the host.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]+)?(?:[/?#][!-~]*)?")


def parseMetadata(octets: bytes) -> Mapping[str, Any]:
    """
    Read the body of a registration request.

    @raise OAuthError: it is not a JSON object.
    """
    try:
        metadata = json.loads(octets.decode("utf-8"))
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise _refused("The client metadata is not a JSON object.")
    return metadata


def readClient(
    metadata: Mapping[str, Any], now: float, grantTypes: frozenset[str] = GRANT_TYPES
) -> Client:
    """
    What a client says about itself.

    @param now: in seconds since the epoch.
    @param grantTypes: those that it may have, of L{GRANT_TYPES}.
    @return: the client, which has no id yet.
    @raise OAuthError: it may not be what it wants to be.
    """
    asked = _grantTypes(metadata, grantTypes)
    method = _text(metadata, "token_endpoint_auth_method", MAX_ADDRESS) or "none"
    if method not in _SECRETS:
        raise _refused("A client that registers itself has the authentication method none.")
    # RFC 7591 section 2. Neither is kept: they are for authentication methods that are not there.
    if "jwks" in metadata and "jwks_uri" in metadata:
        raise _refused("The members jwks and jwks_uri exclude each other.")
    client = Client(
        clientId="",
        name=_text(metadata, "client_name", MAX_NAME) or "",
        redirectURIs=_redirectURIs(metadata, "redirect_uris"),
        grantTypes=asked,
        scope=_scope(metadata),
        created=now,
        softwareId=_text(metadata, "software_id", MAX_ADDRESS),
        address=_address(metadata),
        postLogoutRedirectURIs=_redirectURIs(metadata, "post_logout_redirect_uris"),
        backchannelLogoutURI=_backchannelLogoutURI(metadata),
    )
    if "authorization_code" in asked and not client.redirectURIs:
        raise OAuthError("invalid_redirect_uri", "The member redirect_uris is missing.")
    if len(json.dumps(describeClient(client))) > MAX_KEPT:
        raise _refused("The client metadata is too large.")
    return client


def describeClient(client: Client) -> dict[str, Any]:
    """
    What the answer to a registration says (RFC 7591 section 3.2.1): what was made of it.
    """
    members = {
        "client_id": client.clientId,
        "client_id_issued_at": int(client.created),
        "client_name": client.name,
        "client_uri": client.address,
        "redirect_uris": [*client.redirectURIs],
        "grant_types": sorted(client.grantTypes),
        "response_types": ["code"] if "authorization_code" in client.grantTypes else [],
        "token_endpoint_auth_method": client.authMethod,
        "scope": formatScope(client.scope),
        "software_id": client.softwareId,
        "post_logout_redirect_uris": [*client.postLogoutRedirectURIs],
        "backchannel_logout_uri": client.backchannelLogoutURI,
    }
    needed = {"redirect_uris", "response_types"}
    return {name: value for name, value in members.items() if value or name in needed}


def _refused(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)


def _grantTypes(metadata: Mapping[str, Any], allowed: frozenset[str]) -> frozenset[str]:
    """
    A client that does not say gets refresh tokens as well: mail clients live on them.
    """
    asked = frozenset(_texts(metadata, "grant_types") or ("authorization_code", "refresh_token"))
    if not asked <= allowed:
        raise _refused("A grant type is not one that a client that registers itself may have.")
    if asked == {"refresh_token"}:
        raise _refused("There is no grant type that would give the first refresh token.")
    responses = frozenset(_texts(metadata, "response_types"))
    if not responses <= {"code"} or (responses and "authorization_code" not in asked):
        raise _refused("The only response type is code, with the grant type authorization_code.")
    return asked


def _scope(metadata: Mapping[str, Any]) -> frozenset[str]:
    text = metadata.get("scope") or ""
    try:
        scope = parseScope(text) if isinstance(text, str) else None
    except ValueError:
        scope = None
    if scope is None or not scope <= KNOWN_SCOPES:
        raise _refused("There is no such scope.")
    return scope


def _redirectURIs(metadata: Mapping[str, Any], name: str) -> tuple[str, ...]:
    uris = _texts(metadata, name)
    if len(uris) > MAX_URIS:
        raise OAuthError("invalid_redirect_uri", f"There are too many {name}.")
    for uri in uris:
        registrable(uri)
    return tuple(dict.fromkeys(uris))


def _backchannelLogoutURI(metadata: Mapping[str, Any]) -> str | None:
    """
    The server calls it, so it is on somebody's domain. Where that domain leads, only whoever
    calls it can tell.
    """
    uri = _text(metadata, "backchannel_logout_uri", MAX_ADDRESS)
    if uri is not None and not isClaimedHTTPS(uri):
        raise _refused("The backchannel_logout_uri has to be https on a domain.")
    return uri


def _address(metadata: Mapping[str, Any]) -> str | None:
    address = _text(metadata, "client_uri", MAX_ADDRESS)
    if address is not None and _ADDRESS.fullmatch(address) is None:
        raise _refused("The client_uri is not the address of a page.")
    return address


def _text(metadata: Mapping[str, Any], name: str, limit: int) -> str | None:
    """
    A text that people are shown. What they cannot see is refused, such as controls and marks that
    turn the direction of the text around it (WB4).

    @return: C{None} if it is missing or empty.
    """
    text = metadata.get(name)
    if not text:
        return None
    if not isinstance(text, str) or not text.isprintable() or len(text) > limit:
        raise _refused(f"The member {name} is not a short printable text.")
    return text.strip() or None


def _texts(metadata: Mapping[str, Any], name: str) -> tuple[str, ...]:
    texts = metadata.get(name)
    if texts is None:
        return ()
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _refused(f"The member {name} is not a list of strings.")
    return tuple(texts)
