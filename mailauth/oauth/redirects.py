"""
Redirect URIs (RFC 6749 section 3.1.2, RFC 8252 section 7): owns which of them a client may
register, and which of them is one that it registered.

They are compared octet for octet. So that a browser never reads one in another way than we do, what
could be read in two ways cannot be registered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .responses import OAuthError

MAX_LENGTH = 512

# RFC 3986 section 3, without userinfo and fragment. Without "*", too: it is no wildcard here, and
# whoever registers one believes that it is.
#
#   pchar = unreserved / pct-encoded / sub-delims / ":" / "@"
_PCHAR = r"(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})"
_PATH = rf"(?P<path>(?:/{_PCHAR}*)*)"
_QUERY = rf"(?:\?(?P<query>(?:{_PCHAR}|[/?])*))?"
_LABEL = r"[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?"
_PORT = r"[1-9][0-9]{0,4}"

# In lower case, as browsers write it. They take a host whose last label is a number for an address,
# however it is written.
_HOST = rf"(?:{_LABEL}\.)*(?P<label>(?=[a-z]){_LABEL})|[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}|\[::1\]"
_WEB = re.compile(
    rf"(?P<origin>(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>{_PORT}))?){_PATH}{_QUERY}"
)

# RFC 8252 section 7.1: one's own scheme is one's own domain backwards, so it has a dot. None of the
# schemes that a browser would run or open by itself has (javascript, data, file, blob, vbscript).
_PRIVATE_USE = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+\-]*(?:\.[A-Za-z0-9+\-]+)+):"
    rf"(?://[A-Za-z0-9\-._~]*(?![^/?])|(?=/(?!/))){_PATH}{_QUERY}"
)

# RFC 8252 section 7.3: who listens on loopback learns his port after registering. That is for the
# addresses; "localhost" is a name, and may lead elsewhere (section 8.3).
_LOOPBACK = re.compile(
    rf"(?P<host>http://(?:127\.0\.0\.1|\[::1\]))(?::(?P<port>{_PORT}))?(?P<rest>(?:[/?].*)?)"
)
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "[::1]", "localhost"})

# In a path: a dot, slash, backslash or control character, once somebody decodes it.
_DISGUISED = re.compile(r"%(?:2[EeFf]|5[Cc]|[01][0-9A-Fa-f]|7[Ff])")

# What an authorization response adds: a redirect URI that has one already would say it twice.
_RESPONSE = re.compile(
    r"(?:^|&)(?:code|state|iss|error|error_description|error_uri|response)(?:=|&|$)"
)


def registrable(uri: str) -> None:
    """
    Return if a client may register this redirect URI.

    @raise OAuthError: it may not. The description says what to mend.
    """
    if len(uri) > MAX_LENGTH:
        raise _refused("A redirect URI is too long.")
    match = _WEB.fullmatch(uri) or _PRIVATE_USE.fullmatch(uri)
    if match is None:
        raise _refused(
            "A redirect URI has to begin with https, or with a scheme of your own that has a dot,"
            " and to have no user name, wildcard or fragment."
        )
    if match["scheme"] == "http" and match["host"] not in _LOOPBACK_HOSTS:
        raise _refused("A redirect URI with http has to be on 127.0.0.1, [::1] or localhost.")
    if int(match.groupdict().get("port") or 0) > 65535:
        raise _refused("A redirect URI has no such port.")
    path = match["path"]
    if not {".", ".."}.isdisjoint(path.split("/")) or _DISGUISED.search(path):
        raise _refused("The path of a redirect URI has to be in its plainest form.")
    if _RESPONSE.search(match["query"] or ""):
        raise _refused("The query of a redirect URI holds a parameter of the response.")


def _refused(description: str) -> OAuthError:
    return OAuthError("invalid_redirect_uri", description)


def matches(registered: Iterable[str], presented: str) -> bool:
    """
    Whether a redirect URI is one that the client registered: octet for octet, but for the port of
    a loopback address (RFC 9700 section 4.1.3).
    """
    portless = _withoutPort(presented)
    return any(
        uri == presented or (portless is not None and _withoutPort(uri) == portless)
        for uri in registered
    )


def _withoutPort(uri: str) -> str | None:
    """
    A URI on a loopback address, or C{None} for any other.
    """
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match["port"] or 0) > 65535:
        return None
    return match["host"] + match["rest"]


def isClaimedHTTPS(uri: str) -> bool:
    """
    Whether it is https on a domain, whose owner alone gets what is sent there (RFC 8252 section
    7.2).
    """
    match = _WEB.fullmatch(uri)
    return (
        match is not None
        and match["scheme"] == "https"
        and match["label"] not in (None, "localhost")
    )


def formActionOf(uri: str) -> str:
    """
    What the Content-Security-Policy of a page has to say in C{form-action}, so that its form may
    lead to this redirect URI (CSP 3 section 6.4.1).
    """
    match = _WEB.fullmatch(uri)
    # There is no way to write an IPv6 address there.
    if match is None or match["host"] == "[::1]":
        return uri.partition(":")[0] + ":"
    return match["origin"]
