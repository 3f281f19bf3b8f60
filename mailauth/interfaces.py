"""
Every joint of mailauth, in prose: what a value means, what must never be done with it, and whose
fault each failure is.

Where a method returns a L{Deferred}, it fails with what is named under C{raise}, never with
anything else: an exception that nobody expected is an L{errors.Outage<mailauth.errors.Outage>}.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from twisted.cred.credentials import ICredentials
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from .errors import Refusal
    from .oauth.jwt import VerifyingKey
    from .oauth.tokens import AccessToken
    from .sasl.mechanism import Challenge
    from .stores.events import Event, EventSearch
    from .stores.records import Account, Alias, AppPassword, AppPasswordUse, Identity, SigningKey


# What a wire presents to the portal


class IBearerToken(ICredentials):
    """
    An access token and the account it is presented for.

    The token is a secret while it lives: it goes into no log, no message and no key of any table.
    """

    token: bytes = Attribute("The access token, as octets of ASCII.")
    authzid: bytes | None = Attribute(
        "The account asked for, as sent, in UTF-8; C{None} means the token's owner."
    )
    context: Any = Attribute("The L{LoginContext}, or C{None} where the wire has none.")


class IDelegatedPassword(ICredentials):
    """
    The password of one account, presented to act as another. A checker takes it only if it
    compares the two.
    """

    username: bytes = Attribute("The login name whose password this is, in UTF-8.")
    password: bytes = Attribute("The password, as typed.")
    authzid: bytes = Attribute("The account asked for, in UTF-8.")
    context: Any = Attribute("The L{LoginContext}, or C{None} where the wire has none.")


class IConnection(Interface):
    """
    cred's I{mind} for every login of ours: the connection that logged in.
    """

    def end(reason: str) -> None:
        """
        Say goodbye in the dialect of the wire, and close. It may be called at any time, also
        from inside the login itself, and more than once.

        @param reason: one sentence for a person, in ASCII, naming no secret.
        """


# SASL


class IMechanism(Interface):
    """
    A SASL mechanism (RFC 4422), as two pure functions. It keeps no state: one object, which has
    to be hashable, serves every connection.
    """

    name: bytes = Attribute("Its registered name, such as C{b'OAUTHBEARER'}.")
    revealing: bool = Attribute(
        "Whether whoever reads along learns the secret, so that it needs a private connection."
    )

    def step(transcript: tuple[bytes, ...]) -> Challenge | ICredentials:
        """
        What follows the client's responses so far.

        @param transcript: the decoded responses. Empty means that the client has not said
            anything; an empty initial response is C{(b"",)}.
        @raise InvalidResponse: the last response is not one of this mechanism's.
        @raise Refusal: it is, and can be refused without asking anybody.
        """

    def refusal(error: Refusal, service: str) -> bytes | None:
        """
        What the mechanism says to the client between the verdict and the failure of its wire
        (RFC 7628 section 3.2.2), or C{None} if it is not one that speaks there.
        """


# Tokens


class ITokenValidator(Interface):
    """
    Says what an access token is. Whether it is good for this login is the policy's business.
    """

    def validate(token: bytes) -> Deferred[AccessToken]:
        """
        @raise InvalidToken: the token is bad, for everybody and until it expires.
        @raise Outage: nobody could tell.
        """


class IKeySource(Interface):
    """
    The keys of one issuer.
    """

    def find(kid: str | None) -> Deferred[VerifyingKey]:
        """
        @param kid: the name that a token gives to its key. It is only ever compared: never a
            path, never part of an address.
        @raise InvalidToken: the issuer has no such key.
        @raise Outage: nobody could tell.
        """


class ITokenCache(Interface):
    """
    Remembers what a validator, or a costly password check, said.

    A digest is the only key: what the secret was cannot be read from the cache. Losing an entry
    costs work; no entry has any authority over a revocation.
    """

    def get(digest: bytes) -> Any:
        """
        @param digest: a digest of the whole secret, of 32 octets.
        @return: what was put, or C{None}.
        """

    def put(digest: bytes, value: Any, tags: Iterable[str], expires: float) -> None:
        """
        @param value: anything but C{None}.
        @param tags: the tags under which it is dropped.
        @param expires: when it is forgotten, in seconds since the epoch.
        """

    def drop(tags: Iterable[str]) -> None:
        """
        Forget everything under any of the tags, and whatever is being found out under them now:
        see L{generation}.
        """

    generation: int = Attribute(
        "Counts calls of C{drop}. Whoever puts an answer that took time compares it with what it "
        "was when the question was asked, and does not put if it moved."
    )


# Revocation


class IRevocations(Interface):
    """
    What was revoked: written by whoever revokes, read by everybody who decides.

    Revoking an account, a grant, an app password or a token is one entry: a I{tag} and the time.
    Whatever was issued under the tag until then is dead.
    """

    def revoke(tags: Iterable[str], reason: str) -> Deferred[None]:
        """
        Fires when it holds: every later L{covers} in any process that shares the store says so.

        @param reason: one sentence in ASCII for the owners of the connections that it ends.
        @raise Outage: it does not hold, and must be tried again.
        """

    def touch(tags: Iterable[str]) -> Deferred[None]:
        """
        Say that records under these tags changed, without revoking anything.
        """

    def catchUp() -> int:
        """
        Learn what others published, calling the listeners, before anything is decided. Cheap
        enough for every login.

        @return: the number of the last entry.
        @raise Outage: others cannot be heard, so nothing may be decided.
        """

    def covers(tags: Collection[str], issued: float) -> bool:
        """
        Whether any of the tags was revoked at or after C{issued}, in seconds since the epoch, or
        is that of one token and was revoked at all: nothing else is issued under it, and clocks
        are set. Asks nobody: what L{catchUp} learned is what it knows.

        @param issued: by our clock. Of what somebody else dated it is the earliest time that the
            date can mean.
        """

    def revokedSince(tags: Collection[str], entry: int) -> bool:
        """
        Whether any of the tags was revoked after the entry of that number: for whoever began
        to decide then, waited, and is about to let somebody in.
        """

    def subscribe(
        listener: Callable[[frozenset[str], str | None], None],
    ) -> Callable[[], None]:
        """
        @param listener: called with tags and the reason when they are revoked, or with tags and
            C{None} when they were only touched. It must not raise.
        @return: what to call to unsubscribe.
        """


# Stores. Each method answers when what it did would survive a loss of power, and fails with
# L{Outage} when the store cannot be reached.


class IAccounts(Interface):
    """
    The accounts, by their names in canonical form.
    """

    def add(account: Account) -> Deferred[None]:
        """
        @raise AlreadyExists: there is one of this name, or it is an alias of another.
        """

    def get(name: str) -> Deferred[Account | None]:
        """
        @param name: in canonical form.
        """

    def list() -> Deferred[tuple[Account, ...]]:
        """
        All accounts, by name.
        """

    def count() -> Deferred[int]:
        """
        How many there are.
        """

    def find(word: str, after: str, limit: int) -> Deferred[tuple[Account, ...]]:
        """
        Some accounts, by name.

        @param word: what stands in the name or in one of the aliases, in lower case.
        @param after: the last name of the page before; empty for the first.
        @param limit: how many at most.
        """

    def disable(name: str) -> Deferred[None]:
        """
        Disable the account, and revoke everything under its tag.

        @raise NotFound: there is no such account.
        """

    def enable(name: str) -> Deferred[None]:
        """
        @raise NotFound: there is no such account.
        """

    def remove(name: str) -> Deferred[None]:
        """
        Remove the account with its app passwords, and revoke everything under its tag.

        @raise NotFound: there is no such account.
        """

    def setPassword(name: str, passwordHash: str | None) -> Deferred[None]:
        """
        Set the account password, and revoke every token and connection of the account; app
        passwords stay valid.

        @param passwordHash: as L{mailauth.passwords} makes it, or C{None} for no password.
        @raise NotFound: there is no such account.
        """

    def setPasswordRule(name: str, rule: str | None) -> Deferred[None]:
        """
        Where the account password may be used.

        @param rule: C{"web"}, C{"everywhere"}, or C{None} for the rule of its domain.
        @raise NotFound: there is no such account.
        """


class IAliases(Interface):
    """
    The other addresses of the accounts: they receive mail for one, and it may send as them. Nobody
    logs in by one.

    An address is one account's name or one account's alias, and nothing besides.
    """

    def add(alias: Alias) -> Deferred[None]:
        """
        @raise AlreadyExists: it is the name of an account, or somebody's alias.
        @raise NotFound: there is no such account.
        """

    def get(address: str) -> Deferred[Alias | None]:
        """
        @param address: in canonical form.
        """

    def list(account: str) -> Deferred[tuple[Alias, ...]]:
        """
        Those of one account, by address.
        """

    def remove(account: str, address: str) -> Deferred[None]:
        """
        @raise NotFound: the account has no such alias.
        """


class IEvents(Interface):
    """
    What happened. Nothing that was kept is changed, and it is forgotten by its age alone.
    """

    def add(event: Event) -> Deferred[None]:
        """
        Keep it, under a number that is greater than all before.
        """

    def find(
        search: EventSearch, limit: int, before: int | None = None
    ) -> Deferred[tuple[Event, ...]]:
        """
        Some events, the one that was kept last first.

        @param limit: how many at most.
        @param before: the last number of the page before; C{None} for the first.
        """

    def purge(until: float) -> Deferred[None]:
        """
        Forget what happened before that time.
        """


class IAppPasswords(Interface):
    """
    The app passwords, by the SHA-256 of the secret.
    """

    def add(appPassword: AppPassword) -> Deferred[None]:
        """
        @raise NotFound: there is no such account.
        @raise AlreadyExists: the id or the digest is taken.
        @raise LimitReached: the account has as many as it may, or as many imported ones.
        """

    def limit(account: str) -> Deferred[int]:
        """
        How many an account may have.
        """

    def setLimit(account: str, limit: int | None) -> Deferred[None]:
        """
        How many an account may have. Those that it has stay, however many.

        @param limit: C{None} for as many as all others.
        @raise NotFound: there is no such account.
        """

    def find(digest: bytes) -> Deferred[AppPassword | None]:
        """
        One look-up for one guess, however many there are.

        @param digest: of 32 octets.
        """

    def imported(account: str) -> Deferred[tuple[AppPassword, ...]]:
        """
        Those of one account that were imported as hashes, which no digest can find. There are
        L{IMPORTED_LIMIT<mailauth.stores.records.IMPORTED_LIMIT>} at most, for each of them costs
        a slow hash at every guess.
        """

    def list(account: str) -> Deferred[tuple[AppPassword, ...]]:
        """
        Those of one account, oldest first.
        """

    def revoke(account: str, identifier: str) -> Deferred[None]:
        """
        Remove it, and revoke its tag.

        @raise NotFound: the account has none of this id.
        """

    def noteUse(identifier: str, use: AppPasswordUse) -> Deferred[None]:
        """
        Keep it as the last use. Nobody waits for this, and it may be dropped under load.
        """


class IIdentities(Interface):
    """
    Whose account it is that an external issuer vouches for: by the subject that it names, which
    never changes. The login name that it gives to one can change, and become somebody else's: it
    counts the first time alone (TK14).

    A subject is linked with one account, and an account with one subject of each issuer.
    """

    def resolve(
        issuer: str, subject: str, account: str | None, now: float, create: bool
    ) -> Deferred[str | None]:
        """
        Whose account the subject is linked with. If it is with none, but there is an account of
        the name that the issuer gives to it, which no other subject of the issuer is linked with,
        they are linked now.

        Make sure before that what the issuer said was not revoked, or it links again what was
        unlinked.

        @param account: the name, in canonical form; C{None} if it can be nobody's here.
        @param now: in seconds since the epoch.
        @param create: make the account if there is none.
        @return: the name of the account; C{None} if it is nobody's.
        """

    def list(account: str) -> Deferred[tuple[Identity, ...]]:
        """
        Those of one account, by issuer.
        """

    def link(identity: Identity) -> Deferred[None]:
        """
        Link them, in the place of what either was linked with, and revoke the tags of the subjects
        whose account it no longer is.

        @raise NotFound: there is no such account.
        """

    def unlink(issuer: str, subject: str) -> Deferred[None]:
        """
        Remove the link, and revoke the tag of the subject.

        @raise NotFound: the subject is linked with nothing.
        """


class ISigningKeys(Interface):
    """
    The keys that the built-in authorization server signs with.
    """

    def add(key: SigningKey) -> Deferred[None]:
        """
        @raise AlreadyExists: the C{kid} is taken.
        """

    def list() -> Deferred[tuple[SigningKey, ...]]:
        """
        All of them, newest first, retired ones too.
        """

    def retire(kid: str, when: float) -> Deferred[None]:
        """
        Sign nothing with it from then on.

        @raise NotFound: there is no such key.
        """

    def reseal(kid: str, sealed: bytes) -> Deferred[None]:
        """
        Keep it sealed in this way.

        @raise NotFound: there is no such key.
        """


# What the policy and the checkers are told about an attempt


class IAudit(Interface):
    """
    Is told every verdict, at the verdict.
    """

    def record(
        credentials: ICredentials, account: str | None, error: BaseException | None, seconds: float
    ) -> None:
        """
        It must return at once and must not raise.

        @param credentials: what was presented. It is there for its names and its context.
        @param account: who it was, if it was accepted.
        @param error: why not, or C{None} if it was accepted.
        @param seconds: how long the decision took.
        """
