"""
The two ways to sign in: a browser on this computer (RFC 6749 section 4.1 with RFC 7636, RFC 8252
and RFC 9207), or one anywhere and a code (RFC 8628).
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Mapping
from time import monotonic, sleep

import attrs

from ..oauth.pkce import challengeOf
from ..oauth.responses import withParameters
from .discovery import AuthorizationServer
from .failures import OAuthRefusal, Outage, Refusal, printable
from .loopback import REDIRECT_URI, Listener
from .tokens import SCOPE, Tokens, numberIn, readAnswer, requestTokens
from .web import Web, isHTTPS

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

INTERVAL = 5.0
"""
How many seconds are between two questions, and how many more if the server wants it slower (RFC
8628 section 3.2 and 3.5).
"""

LONGEST = 1800.0
"""
For how many seconds a code is waited for at most, whatever the server says.
"""


@attrs.frozen
class Client:
    """
    Who asks.

    @ivar tell: shows lines to the person.
    """

    web: Web
    server: AuthorizationServer
    clientId: str
    tell: Callable[[str], None]


def register(web: Web, server: AuthorizationServer) -> str:
    """
    Get a client id (RFC 7591).

    @raise Refusal: the server gives none.
    @raise Outage: nobody can tell.
    """
    if server.registrationEndpoint is None:
        raise Refusal(
            f"{server.issuer} lets no program register itself. Ask its administrator for a client"
            " id, and add '--client-id ID'."
        )
    metadata = {
        "client_name": f"mailauth-token ({socket.gethostname()})"[:80],
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPE,
        "software_id": "mailauth-token",
    }
    clientId = readAnswer(web.postJSON(server.registrationEndpoint, metadata)).get("client_id")
    if not isinstance(clientId, str) or not clientId:
        raise Refusal(f"{server.issuer} gave no client id.")
    return clientId


def byBrowser(client: Client, address: str, openBrowser: Callable[[str], object]) -> Tokens:
    """
    Sign in with a browser on this computer.

    @param address: whose mail it is about.
    @param openBrowser: goes to an address.
    @raise Refusal: nobody did, or not there.
    @raise Outage: nobody can tell.
    """
    server = client.server
    if server.authorizationEndpoint is None:
        raise Refusal(f"{server.issuer} has no page to sign in.")
    verifier = secrets.token_urlsafe(48)
    with Listener() as listener:
        asked = {
            "response_type": "code",
            "client_id": client.clientId,
            "redirect_uri": listener.redirectURI,
            "scope": SCOPE,
            "state": listener.state,
            "code_challenge": challengeOf(verifier),
            "code_challenge_method": "S256",
            "login_hint": address,
        }
        location = withParameters(server.authorizationEndpoint, asked)
        client.tell(f"Sign in with a browser on this computer:\n\n  {location}\n")
        openBrowser(location)
        answer = listener.wait()
    form = {
        "grant_type": "authorization_code",
        "code": _codeIn(answer, server),
        "redirect_uri": listener.redirectURI,
        "client_id": client.clientId,
        "code_verifier": verifier,
    }
    return requestTokens(client.web, server.tokenEndpoint, form)


def _codeIn(answer: Mapping[str, str], server: AuthorizationServer) -> str:
    """
    The code, if it is there and is this server's.
    """
    # RFC 9207 section 2.4, first of all: an error could be another's, too.
    if answer.get("iss", None if server.namesItself else server.issuer) != server.issuer:
        raise Refusal("The browser came back from another server than it was sent to. Begin anew.")
    if answer.get("error") == "access_denied":
        raise Refusal("Nothing was allowed.")
    if "error" in answer or "code" not in answer:
        reason = answer.get("error_description") or answer.get("error") or "no code"
        raise Refusal(f"{server.issuer} refused: {printable(reason)}")
    return answer["code"]


def byDevice(
    client: Client, pause: Callable[[float], None] = sleep, seconds: Callable[[], float] = monotonic
) -> Tokens:
    """
    Sign in with a browser anywhere.

    @param pause: does nothing for some seconds.
    @param seconds: a clock that only runs forward.
    @raise Refusal: nobody did.
    @raise Outage: nobody can tell.
    """
    server = client.server
    if server.deviceEndpoint is None:
        raise Refusal(f"{server.issuer} knows no sign-in by a code. Try it without --device.")
    began = seconds()
    asked = {"client_id": client.clientId, "scope": SCOPE}
    try:
        told = readAnswer(client.web.post(server.deviceEndpoint, asked))
    except OAuthRefusal as error:
        raise _notAllowed(error, client.clientId) from None
    code, userCode = told.get("device_code"), told.get("user_code")
    page = told.get("verification_uri")
    if not isinstance(code, str) or not isinstance(userCode, str) or not isHTTPS(page):
        raise Outage(f"{server.issuer} gave no code.")
    client.tell(f"Go to {page} on any computer or phone,\nand type {printable(userCode)} there.\n")
    form = {"grant_type": DEVICE_GRANT, "device_code": code, "client_id": client.clientId}
    interval = max(1.0, numberIn(told, "interval", INTERVAL))
    end = began + min(numberIn(told, "expires_in", LONGEST), LONGEST)
    while seconds() + interval < end:
        pause(interval)
        try:
            return requestTokens(client.web, server.tokenEndpoint, form)
        except Outage:
            # RFC 8628 section 3.5.
            interval *= 2
        except OAuthRefusal as error:
            if error.code == "slow_down":
                interval += INTERVAL
            elif error.code != "authorization_pending":
                raise _decided(error) from None
    raise Refusal("The code is too old now. Begin anew.")


def _notAllowed(error: OAuthRefusal, clientId: str) -> Refusal:
    if error.code not in ("unauthorized_client", "invalid_client"):
        return error
    return Refusal(
        f"{error} The client {printable(clientId)!r} may not sign in by a code. The administrator"
        f" adds one that may: mailauth client add --id {printable(clientId)} --grant device_code"
        " --grant refresh_token"
    )


def _decided(error: OAuthRefusal) -> Refusal:
    if error.code == "access_denied":
        return Refusal("Nothing was allowed.")
    if error.code == "expired_token":
        return Refusal("The code is too old now. Begin anew.")
    return error


def checkOwner(web: Web, server: AuthorizationServer, token: str, address: str) -> None:
    """
    Return if it is not known to be somebody else who signed in: a browser may have been signed in
    already, and another program on this computer may have brought us its own answer.

    @raise Refusal: it is.
    @raise Outage: nobody can tell.
    """
    if server.userinfoEndpoint is None:
        return
    answer = web.get(server.userinfoEndpoint, token)
    if 400 <= answer.status < 500:
        # It tells nobody, or not whoever asked for mail alone.
        return
    owner = readAnswer(answer).get("email")
    if isinstance(owner, str) and owner.lower() != address.lower():
        raise Refusal(
            f"You signed in as {printable(owner)}, and not as {address}. Sign in again, and take"
            " the other account in the browser; or use the address that you have there."
        )
