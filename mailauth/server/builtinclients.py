"""
The mail programs that are known without registration: those that cannot register themselves, and
for which L{mailauth.server.setup} writes files that have to name a client.

They are public clients, so their names prove nothing, and whoever signs in is told so. Like those
that registered themselves they have no device grant: anybody could send somebody else its code
(OA10). A record of the administrator's under the same id comes first, and can deny one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..oauth.records import Client

THUNDERBIRD = Client(
    "thunderbird",
    "Thunderbird",
    redirectURIs=("http://127.0.0.1/callback",),
)
FAIREMAIL = Client(
    "fairemail",
    "FairEmail",
    redirectURIs=("eu.faircode.email:/",),
)
EMAIL_PROXY = Client(
    "emailproxy",
    "email-oauth2-proxy",
    redirectURIs=("http://localhost:8765",),
)

BUILT_IN: Mapping[str, Client] = {
    client.clientId: client for client in (THUNDERBIRD, FAIREMAIL, EMAIL_PROXY)
}
