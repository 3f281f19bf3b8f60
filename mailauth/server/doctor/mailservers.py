"""
What is to be said of a mail server.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from .certificates import judgeCertificate
from .conversations import Heard, Place, Refused
from .findings import Finding, good, unknown, wrong

_REVEALING = ("AUTH=PLAIN", "AUTH=LOGIN", "AUTH=OAUTHBEARER", "AUTH=XOAUTH2")
"""
What sends a secret as it is.
"""

_LATER = ("[UNAVAILABLE]", "[LIMIT]", "[SYS/TEMP]", "454 ")
"""
How mailauth, Dovecot and others say that they cannot decide now.
"""

_WHO_NEEDS = {
    "OAUTHBEARER": "mutt, aerc, msmtp, curl, Himalaya",
    "XOAUTH2": "Thunderbird, FairEmail, NeoMutt, mbsync, offlineimap",
}

_ELSEWHERE = "mailauth offers it at once: what else answers at {}, or stands before it?"


def judgeServer(place: Place, heard: Heard, preferred: bool, now: datetime) -> Iterator[Finding]:
    """
    What was found where mail programs go.

    @param preferred: it is the one that they use for this protocol.
    """
    about = place.protocol if preferred else f"{place.protocol}:{place.port}"
    connect = f"{about}.connect"
    if heard.clear is not None:
        yield from _judgeClear(place, heard.clear, about)
    if heard.certificate is not None:
        yield judgeCertificate(connect, place.host, str(place), heard.certificate, now)
    if heard.secured is not None:
        yield from _judgeSecured(place, heard.secured, about)
    if heard.refused is not None:
        yield _judgeRefused(f"{about}.refusal", place, heard.refused)
    if heard.outage:
        yield unknown(
            connect,
            f"{place}: it could not be found out: {heard.outage}.",
            f"If no other network gets there either: does the server listen at port {place.port},"
            f" does a firewall let it through, and does {place.host} lead there?",
        )
    if heard.unexpected:
        yield wrong(
            connect,
            f"{place}: {heard.unexpected}.",
            f"Have a mail server answer at {place.host}:{place.port}, with"
            f" {'TLS at once' if place.implicitTLS else 'STARTTLS'}.",
        )


def _judgeClear(place: Place, offered: frozenset[str], about: str) -> Iterator[Finding]:
    revealing = [name for name in _REVEALING if name in offered]
    if place.protocol == "imap" and "LOGINDISABLED" not in offered:
        revealing.append("LOGIN")
    if place.protocol == "pop3" and "USER" in offered:
        revealing.append("USER")
    if revealing:
        yield wrong(
            f"{about}.clear",
            f"{place}: without TLS it offers {', '.join(revealing)}. Whoever listens on the way"
            " has the password.",
            f"Have {place.host}:{place.port} offer no login before STARTTLS. mailauth offers none"
            " (but to this machine itself, with [insecure] loopback_without_tls).",
        )
    else:
        yield good(f"{about}.clear", f"{place}: without TLS it offers no login.")
    if "STARTTLS" not in offered:
        yield wrong(
            f"{about}.connect",
            f"{place}: it offers no STARTTLS, so programs do not log in there.",
            _ELSEWHERE.format(f"{place.host}:{place.port}"),
        )


def _judgeSecured(place: Place, offered: frozenset[str], about: str) -> Iterator[Finding]:
    elsewhere = _ELSEWHERE.format(f"{place.host}:{place.port}")
    for mechanism, programs in _WHO_NEEDS.items():
        topic = f"{about}.{mechanism.lower()}"
        if f"AUTH={mechanism}" in offered:
            yield good(topic, f"{place}: it takes tokens by {mechanism}.")
        else:
            yield wrong(
                topic,
                f"{place}: it does not offer {mechanism}, so there is no OAuth for {programs}.",
                elsewhere,
            )
    if place.protocol == "imap":
        topic = f"{about}.sasl-ir"
        if "SASL-IR" in offered:
            yield good(topic, f"{place}: it offers SASL-IR.")
        else:
            yield wrong(
                topic,
                f"{place}: it does not offer SASL-IR, without which mutt and NeoMutt send no"
                " token.",
                elsewhere,
            )
    if _takesPasswords(place, offered):
        yield good(f"{about}.password", f"{place}: it takes app passwords.")
    else:
        yield wrong(
            f"{about}.password",
            f"{place}: it offers neither PLAIN nor LOGIN, so it takes no app passwords.",
            elsewhere,
        )


def _takesPasswords(place: Place, offered: frozenset[str]) -> bool:
    if place.protocol == "imap" and "LOGINDISABLED" not in offered:
        return True
    if place.protocol == "pop3" and "USER" in offered:
        return True
    return not offered.isdisjoint(("AUTH=PLAIN", "AUTH=LOGIN"))


def _judgeRefused(topic: str, place: Place, refused: Refused) -> Finding:
    if refused.accepted:
        return wrong(
            topic,
            f"{place}: it lets a token in that nobody issued.",
            f"Take {place.host}:{place.port} off the network until it verifies tokens.",
        )
    if any(words in refused.reply for words in _LATER):
        return unknown(
            topic,
            f"{place}: it cannot decide about tokens now ({refused.reply}).",
            "See in the log of the server what it cannot reach, and run this again.",
        )
    if refused.document is None:
        return wrong(
            topic,
            f"{place}: it refuses a token without the error document of RFC 7628"
            f" ({refused.reply}), so programs do not learn where to sign in.",
            _ELSEWHERE.format(f"{place.host}:{place.port}"),
        )
    address = configurationOf(refused)
    if address is None:
        return wrong(
            topic,
            f"{place}: its error document does not say where the issuer describes itself.",
            "'openid-configuration' has to be in it (RFC 7628 section 3.2.2).",
        )
    return good(topic, f"{place}: it refuses a made-up token, and leads to {address}.")


def configurationOf(refused: Refused | None) -> str | None:
    """
    Where a refusal leads to, or C{None}.
    """
    document = refused.document if refused is not None else None
    address = document.get("openid-configuration") if document is not None else None
    return address if isinstance(address, str) else None
