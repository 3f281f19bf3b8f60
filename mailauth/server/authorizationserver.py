"""
The built-in authorization server, put together: from the stores and the settings to everything
that its endpoints and pages ask. No HTTP in it.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import attrs

from ..interfaces import IAudit
from ..oauth.records import Client
from ..stores.database import Database
from ..validators._http import BoundedFetcher, anywhere
from .actions.recording import Recorder
from .authorization import Authorization
from .authorizationrequests import AuthorizationRequests
from .backchannellogout import BackchannelLogout
from .browsersessions import BrowserSessions
from .clientauthentication import ClientAuthenticator
from .clientdocuments import ClientDocuments
from .clients import Clients
from .config import Configuration
from .devices import DeviceLimits, Devices
from .factors import SecondFactors
from .federation import PURPOSE, Federation
from .grants.authorizationcode import AuthorizationCodeGrant
from .grants.clientcredentials import ClientCredentialsGrant
from .grants.devicecode import DeviceCodeGrant
from .grants.families import Families
from .grants.pipeline import TokenEndpoint
from .grants.refreshtoken import RefreshTokenGrant
from .idtokenhints import IDTokenHints
from .introspection import Introspection
from .issuer import AccessTokenIssuer, IDTokenIssuer
from .liveness import Liveness
from .logout import Logout, Poster
from .offer import Offer
from .passkeys import Passkeys
from .portal import Truth, makeTokenPolicy
from .proofs import Proofs
from .pushedrequests import PushedRequests
from .recorded import RecordedBrowserSessions, RecordedDeviceCodes, RecordedGrants
from .refreshtokens import RefreshTokens
from .revocation import Revocation
from .sealing import ServerSecret
from .signin import SignIn
from .sites import ACCOUNT, ADMIN, SITES, Site, siteClient, siteSecret
from .userinfo import UserInfo


@attrs.frozen(eq=False)
class AuthorizationServer:
    """
    What the endpoints and pages ask.
    """

    clients: Clients
    authorization: Authorization
    pushedRequests: PushedRequests
    tokens: TokenEndpoint
    introspection: Introspection
    revocation: Revocation
    userInfo: UserInfo
    devices: Devices
    sessions: BrowserSessions
    signIn: SignIn
    logout: Logout
    account: Site
    admin: Site
    federations: tuple[Federation, ...]
    backchannelLogout: BackchannelLogout


def tellingClients(fetcher: BoundedFetcher, trusting: BoundedFetcher) -> Poster:
    """
    How clients are told that somebody has signed out.

    @param fetcher: for those that anybody may have registered.
    @param trusting: for those of the administrator, which may be on a private network.
    """

    async def post(client: Client, form: bytes) -> int:
        assert client.backchannelLogoutURI is not None
        poster = trusting if client.verified else fetcher
        return (await poster.post(client.backchannelLogoutURI, form)).status

    return post


def makeAuthorizationServer(
    configuration: Configuration,
    database: Database,
    secret: ServerSecret,
    truth: Truth,
    audit: IAudit,
    reactor: Any,
    seconds: Callable[[], float] = monotonic,
) -> AuthorizationServer:
    """
    Put it together.

    @param secret: what the key file holds.
    @param audit: is told every verdict about somebody who signs in.
    @param reactor: for the network where a client has to be told something.
    @param seconds: a clock that only runs forward.
    """
    issuer, settings, sealer = configuration.issuer, configuration.issuing, secret.sealer
    base = issuer.rstrip("/")
    keys = truth.keys
    fetcher = BoundedFetcher(reactor)
    siteSecrets = {name: siteSecret(name, sealer("site-secrets")) for name in SITES}
    documents = ClientDocuments(fetcher.get, seconds) if settings.clientDocuments else None
    clients = Clients(
        database.clients,
        database.revocations,
        issuer,
        sealer("client-ids"),
        documents,
        settings.openRegistration,
        ours=[siteClient(name, issuer, secret) for name, secret in siteSecrets.items()],
    )
    offer = Offer(issuer, configuration.audience, configuration.hostname)
    hints = IDTokenHints(issuer, keys)
    requests = AuthorizationRequests(offer, hints)
    authenticator = ClientAuthenticator(clients, issuer, database.spent)
    proofs = Proofs(database.spent, sealer("dpop-nonces"))
    pushed = PushedRequests(
        f"{base}/par", authenticator, proofs, requests, database.spent, sealer("pushed-requests")
    )
    liveness = Liveness(issuer, truth.ownValidator, truth.accounts, database.revocations)
    refreshTokens = RefreshTokens(sealer("refresh-tokens"))
    families = Families(refreshTokens, settings.refreshTokenIdle)
    grants, opaqueTokens = database.grants, database.opaqueTokens
    recorder = Recorder(database.events)
    sessions = BrowserSessions(
        RecordedBrowserSessions(database.browserSessions, recorder),
        database.revocations,
        settings.browserSession,
    )
    passkeys = Passkeys(
        issuer,
        database.factors,
        database.spent,
        sealer("passkey-challenges"),
        sealer("user-handles"),
    )
    signIn = SignIn(
        truth.accountPasswords,
        truth.accounts,
        SecondFactors(database.factors, sealer("totp-secrets"), seconds),
        passkeys,
        audit,
        truth.throttle,
        sealer("sign-ins"),
        seconds,
    )
    tokens = TokenEndpoint(
        f"{base}/token",
        authenticator,
        proofs,
        (
            AuthorizationCodeGrant(grants, families),
            RefreshTokenGrant(grants, opaqueTokens, families),
            DeviceCodeGrant(database.deviceCodes, grants, families),
            ClientCredentialsGrant(opaqueTokens),
        ),
        liveness,
        offer,
        AccessTokenIssuer(issuer, configuration.audience, keys.signer),
        IDTokenIssuer(issuer, keys.signer),
        settings.accessTokenLifetime,
        configuration.tokenLifetime,
        settings.opaqueTokens,
    )

    def site(name: str) -> Site:
        return Site(name, issuer, siteSecrets[name], tokens, liveness, sealer("sites"))

    return AuthorizationServer(
        clients=clients,
        authorization=Authorization(
            issuer,
            clients,
            requests,
            pushed,
            RecordedGrants(grants, recorder),
            database.spent,
            database.revocations,
            sealer("authorization-requests"),
            settings.grantLifetime,
        ),
        pushedRequests=pushed,
        tokens=tokens,
        introspection=Introspection(authenticator, liveness, grants, refreshTokens, keys.signer),
        revocation=Revocation(authenticator, liveness, grants, database.revocations, refreshTokens),
        userInfo=UserInfo(f"{base}/userinfo", liveness, proofs),
        devices=Devices(
            f"{base}/device",
            authenticator,
            offer,
            RecordedDeviceCodes(database.deviceCodes, recorder),
            DeviceLimits.of(seconds),
            settings.grantLifetime,
        ),
        sessions=sessions,
        signIn=signIn,
        account=site(ACCOUNT),
        admin=site(ADMIN),
        logout=Logout(
            issuer,
            clients,
            hints,
            sessions,
            grants,
            keys,
            sealer("logout-requests"),
            tellingClients(fetcher, BoundedFetcher(reactor, allowed=anywhere)),
            reactor,
        ),
        federations=tuple(
            Federation(
                each,
                issuer,
                truth.identities,
                truth.accounts,
                database.revocations,
                makeTokenPolicy(configuration),
                signIn.decide,
                sealer(PURPOSE),
            )
            for each in truth.issuers
            if each.settings.signIn
        ),
        backchannelLogout=BackchannelLogout(
            {
                each.settings.url: each
                for each in truth.issuers
                if each.settings.clientId is not None
            },
            database.revocations,
            database.spent,
        ),
    )
