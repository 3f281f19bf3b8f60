"""
What each mail program would do, judged by what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from .findings import FAILS, UNKNOWN, Finding, worstOf

OAUTH, PASSWORD, NOTHING, UNDECIDED = "OAuth", "app password", "fails", "unknown"


@attrs.frozen
class Program:
    """
    A mail program, or several that behave alike.

    @ivar password: the topics of what it needs to use an app password.
    @ivar oauth: the same for OAuth, or C{None} if it knows none with an issuer of one's own.
    @ivar besides: what a person needs besides for OAuth, or the empty string.
    """

    name: str
    password: tuple[str, ...]
    oauth: tuple[str, ...] | None = None
    besides: str = ""


@attrs.frozen
class Verdict:
    """
    How a program would fare.

    @ivar means: C{OAUTH}, C{PASSWORD}, C{NOTHING} or C{UNDECIDED}.
    @ivar why: what there is to say, in a sentence, or the empty string.
    """

    program: str
    means: str
    why: str


def _needs(what: str) -> tuple[str, ...]:
    return tuple(
        f"{protocol}.{each}" for protocol in ("imap", "smtp") for each in ("connect", what)
    )


_PASSWORD = _needs("password")
_BEARER = (*_needs("oauthbearer"), "issuer")
_XOAUTH2 = (*_needs("xoauth2"), "issuer")

_COMMAND = "with a command that prints a token"

PROGRAMS = (
    Program(
        "Thunderbird",
        ("autoconfig", "autoconfig.password", *_PASSWORD),
        (
            *("autoconfig", "autoconfig.oauth2", "addon", "client.thunderbird"),
            *_XOAUTH2,
        ),
        "with the add-on of the set-up page",
    ),
    Program("Apple Mail: iPhone, iPad, Mac", _PASSWORD),
    Program("Outlook for Windows (classic)", ("autodiscover", *_PASSWORD)),
    Program("Outlook (new), for Mac and phones", _PASSWORD),
    Program(
        "FairEmail",
        ("autoconfig", *_PASSWORD),
        ("fairemail", "client.fairemail", *_XOAUTH2),
        "with the file of the set-up page",
    ),
    Program("Thunderbird for Android, K-9", ("autoconfig", "autoconfig.password", *_PASSWORD)),
    Program("Samsung Email", _PASSWORD),
    Program("mutt", _PASSWORD, ("imap.sasl-ir", *_BEARER), _COMMAND),
    Program("NeoMutt", _PASSWORD, ("imap.sasl-ir", *_XOAUTH2), _COMMAND),
    Program("aerc", _PASSWORD, _BEARER, _COMMAND),
    Program(
        "mbsync, getmail, offlineimap",
        ("imap.connect", "imap.password"),
        ("imap.connect", "imap.xoauth2", "issuer"),
        _COMMAND,
    ),
    Program(
        "msmtp",
        ("smtp.connect", "smtp.password"),
        ("smtp.connect", "smtp.oauthbearer", "issuer"),
        _COMMAND,
    ),
    Program("curl", _PASSWORD, _BEARER, _COMMAND),
    Program(
        "Himalaya and others with PACC",
        ("pacc", "pacc.digest", *_PASSWORD),
        ("pacc", "pacc.digest", "registration", *_BEARER),
    ),
    Program(
        "Anything, by email-oauth2-proxy",
        _PASSWORD,
        ("emailproxy", "client.emailproxy", *_XOAUTH2),
        "with the configuration of the set-up page",
    ),
    Program("Roundcube", _PASSWORD, _XOAUTH2, "with a client that the administrator adds for it"),
)
"""
Those of the documentation, the most used ones first.
"""


def judgePrograms(findings: Iterable[Finding]) -> list[Verdict]:
    """
    What each program would do.
    """
    byTopic: dict[str, list[Finding]] = {}
    for finding in findings:
        byTopic.setdefault(finding.topic, []).append(finding)
    return [_judge(program, byTopic) for program in PROGRAMS]


def _judge(program: Program, byTopic: Mapping[str, list[Finding]]) -> Verdict:
    signIn = None if program.oauth is None else _obstacle(program.oauth, byTopic)
    if program.oauth is not None and signIn is None:
        return Verdict(program.name, OAUTH, program.besides)
    password = _obstacle(program.password, byTopic)
    if password is None:
        why = "" if signIn is None else f"No OAuth: {signIn.says}"
        return Verdict(program.name, PASSWORD, why)
    means = NOTHING if password.level == FAILS else UNDECIDED
    return Verdict(program.name, means, password.says)


def _obstacle(topics: Iterable[str], byTopic: Mapping[str, list[Finding]]) -> Finding | None:
    """
    What keeps a program from going on, or C{None}. What nobody could look at does, too.
    """
    needed = [
        worstOf(byTopic.get(topic, ()))
        or Finding(topic, UNKNOWN, "What comes before could not be found out.")
        for topic in topics
    ]
    worst = worstOf(needed)
    return worst if worst is not None and worst.level in (FAILS, UNKNOWN) else None
