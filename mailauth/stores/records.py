"""
What the stores keep: frozen values. Owns no behaviour but the questions a record answers about
itself.
"""

from __future__ import annotations

import attrs

APP_PASSWORD_LIMIT = 50
"""
How many app passwords an account may have, if nobody says otherwise.
"""

MOST_APP_PASSWORDS = 1000
"""
How many somebody may say.
"""

IMPORTED_LIMIT = 5
"""
How many imported app passwords an account may have.
"""


class AlreadyExists(Exception):
    """
    A record with this name is there already. The message says which.
    """


class CannotOpen(Exception):
    """
    The store must not be used as it is. The message says what is wrong and what to do; trying
    again does not help.
    """


class LimitReached(Exception):
    """
    There are as many of these as there may be. The message says how many.
    """


def tooMany(account: str, limit: int) -> LimitReached:
    """
    What is said to whoever wants one app password more.
    """
    return LimitReached(
        f"{account} may have {limit} app passwords, and has as many. Revoke one that is not used"
        " any more; then there is room for another."
    )


class NotFound(Exception):
    """
    There is no record of this name. The message says which.
    """


SEND_ONLY = frozenset({"smtp"})
"""
The services of an app password that sends mail and reads none.
"""

SIGNING_KEYS_TAG = "signing-keys"
"""
The tag that is touched when a signing key is added or retired.
"""


@attrs.frozen
class Account:
    """
    One person's record.

    @ivar name: in canonical form (L{mailauth.usernames}).
    @ivar passwordHash: of the account password, or C{None} where there is none.
    @ivar enabled: whether it may log in at all.
    @ivar passwordRule: where the account password may be used: C{"web"}, C{"everywhere"}, or
        C{None} for the rule of its domain.
    @ivar created: in seconds since the epoch.
    """

    name: str
    passwordHash: str | None = attrs.field(default=None, repr=False)
    enabled: bool = True
    passwordRule: str | None = None
    created: float = 0.0

    @property
    def domain(self) -> str:
        """
        What stands behind the @, or the empty string.
        """
        return self.name.rpartition("@")[2] if "@" in self.name else ""


@attrs.frozen
class Alias:
    """
    Another address of an account.

    @ivar address: in canonical form (L{mailauth.usernames}), with a domain.
    @ivar account: whose it is.
    @ivar created: in seconds since the epoch.
    """

    address: str
    account: str
    created: float = 0.0


@attrs.frozen
class AppPasswordUse:
    """
    When, from where and by which mail client an app password was used.

    @ivar time: in seconds since the epoch.
    @ivar address: the IP address, if there was one.
    @ivar service: C{"imap"}, C{"smtp"}, C{"pop3"}, C{"jmap"}.
    @ivar mailClient: what the mail client called itself, unverified, if anything.
    """

    time: float
    service: str
    address: str | None = None
    mailClient: str | None = None


@attrs.frozen
class AppPassword:
    """
    A generated secret for one mail client, or an imported one.

    @ivar identifier: its id, which is no secret.
    @ivar account: whose it is.
    @ivar name: what its owner calls it.
    @ivar digest: SHA-256 of the secret, of 32 octets; C{None} for an imported one.
    @ivar imported: the imported hash, such as C{"{BLF-CRYPT}$2b$..."}; C{None} for a generated one.
    @ivar services: what it is for; empty means every mail service.
    @ivar readOnly: it may read, and change or send nothing.
    @ivar created: in seconds since the epoch.
    @ivar expires: in seconds since the epoch, or C{None}.
    @ivar networks: in CIDR notation; empty means from anywhere.
    @ivar lastUse: or C{None} if it never was used.
    """

    identifier: str
    account: str
    name: str
    digest: bytes | None = attrs.field(default=None, repr=False)
    imported: str | None = attrs.field(default=None, repr=False)
    services: frozenset[str] = frozenset()
    readOnly: bool = False
    created: float = 0.0
    expires: float | None = None
    networks: tuple[str, ...] = ()
    lastUse: AppPasswordUse | None = None

    @property
    def sendOnly(self) -> bool:
        """
        Whether it is for sending alone, as a scanner's is.
        """
        return self.services == SEND_ONLY


@attrs.frozen
class Identity:
    """
    An account and who its owner is to an external issuer.

    @ivar issuer: the URL that identifies it.
    @ivar subject: who the owner is, in the issuer's own words: a name that it never changes and
        gives to nobody else.
    @ivar account: whose account is linked with that.
    @ivar created: when it was, in seconds since the epoch.
    """

    issuer: str
    subject: str
    account: str
    created: float = 0.0


@attrs.frozen
class SigningKey:
    """
    A key of the built-in authorization server.

    @ivar kid: its name in a key set (RFC 7517 section 4.5).
    @ivar algorithm: the one algorithm it is for (RFC 7518 section 3.1), such as C{"ES256"}.
    @ivar sealed: the private key, encrypted.
    @ivar created: in seconds since the epoch.
    @ivar retired: when it stops signing, in seconds since the epoch, or C{None}. It verifies
        until the last token that it signed has expired.
    """

    kid: str
    algorithm: str
    sealed: bytes = attrs.field(repr=False)
    created: float
    retired: float | None = None
