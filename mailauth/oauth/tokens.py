"""
What an access token says, once somebody vouched for it.
"""

from __future__ import annotations

import attrs

from ..credentials import clientTag, grantTag, keyTag, subjectTag, tokenTag

LEEWAY = 30.0
"""
By how many seconds our clock and the issuer's may differ.
"""


@attrs.frozen
class AccessToken:
    """
    The answer of an L{ITokenValidator<mailauth.interfaces.ITokenValidator>}. It holds no secret:
    the token itself is not in it.

    @ivar issuer: the URL that identifies who issued it (RFC 8414).
    @ivar subject: who it is about, in the issuer's own words (RFC 9068 C{sub}).
    @ivar owner: the login name that the issuer's configuration makes of its claims.
    @ivar scope: what it is good for (RFC 6749 section 3.3).
    @ivar audience: for whom (RFC 7519 C{aud}).
    @ivar expires: in seconds since the epoch.
    @ivar issued: in seconds since the epoch.
    @ivar clientId: which OAuth client got it, if the token says so.
    @ivar tokenId: its C{jti}, if it has one.
    @ivar grantId: the grant it came from, if the token says so.
    @ivar keyId: the name of the key that signed it, if one did that has a name.
    @ivar bound: it is bound to a key of its client (RFC 7800 C{cnf}), so that bearing it is not
        enough.
    @ivar keyThumbprint: of that key (RFC 7638), if it is one that DPoP proves (RFC 9449 section 6).
    @ivar discovery: the address of its issuer's discovery document, for a client that is refused
        all the same; C{None} for the mechanism's own.
    @ivar external: its issuer is somebody else's, and names people in its own words: whose account
        it opens, identities say.
    @ivar tags: what a revocation has to name to kill it, but for the account's own tag.
    """

    issuer: str
    subject: str
    owner: str
    scope: frozenset[str]
    audience: frozenset[str]
    expires: float
    issued: float
    clientId: str | None = None
    tokenId: str | None = None
    grantId: str | None = None
    keyId: str | None = None
    bound: bool = False
    keyThumbprint: str | None = None
    discovery: str | None = None
    external: bool = False
    tags: frozenset[str] = attrs.field(init=False, repr=False)

    @tags.default
    def _tags(self) -> frozenset[str]:
        tags = []
        if self.clientId is not None:
            tags.append(clientTag(self.issuer, self.clientId))
        if self.grantId is not None:
            tags.append(grantTag(self.issuer, self.grantId))
        if self.tokenId is not None:
            tags.append(tokenTag(self.issuer, self.tokenId))
        if self.keyId is not None:
            tags.append(keyTag(self.issuer, self.keyId))
        if self.external:
            tags.append(subjectTag(self.issuer, self.subject))
        return frozenset(tags)
