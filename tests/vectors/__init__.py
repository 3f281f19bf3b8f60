"""
Transcripts from the examples of the RFCs, each with its source and section.

A transcript can be used twice: by a mechanism's test, which looks at C{responses}, and by a
wire's test, which plays C{dialogue} and compares the first words of every server line.
"""

from __future__ import annotations

import tomllib
from base64 import b64encode
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen
class Transcript:
    """
    One example.

    @ivar source: the RFC and section, and what it shows.
    @ivar wire: C{"imap"}, C{"smtp"}, C{"pop3"} or C{"acap"}, whose lines C{dialogue} has.
    @ivar mechanism: the name of the SASL mechanism.
    @ivar responses: what the client's responses hold, decoded.
    @ivar challenges: what the server's challenges hold, decoded.
    @ivar outcome: C{"accepted"} or C{"refused"}.
    @ivar secret: the password or the token, if there is one.
    @ivar authcid: whose password it is, or C{None}.
    @ivar authzid: whom the client asks to act as, or C{None}.
    @ivar dialogue: C{"C: "} and C{"S: "} lines from the AUTH command on, long lines joined, and of
        the server's lines only what the protocol fixes.
    """

    source: str
    wire: str
    mechanism: bytes
    responses: tuple[bytes, ...]
    challenges: tuple[bytes, ...]
    outcome: str
    secret: bytes | None
    authcid: bytes | None
    authzid: bytes | None
    dialogue: tuple[str, ...]

    @property
    def clientLines(self) -> list[bytes]:
        """
        What the client sends, in order.
        """
        return [line[3:].encode() for line in self.dialogue if line.startswith("C: ")]

    @property
    def serverLines(self) -> list[bytes]:
        """
        How the server's lines begin, in order.
        """
        return [line[3:].encode() for line in self.dialogue if line.startswith("S: ")]


def transcripts(wire: str | None = None, mechanism: bytes | None = None) -> list[Transcript]:
    """
    Those of one wire and one mechanism, or of all.
    """
    return [
        transcript
        for path in sorted(Path(__file__).parent.glob("*.toml"))
        for transcript in _read(path)
        if wire in (None, transcript.wire) and mechanism in (None, transcript.mechanism)
    ]


def _read(path: Path) -> list[Transcript]:
    with path.open("rb") as stream:
        document = tomllib.load(stream)
    return [_transcript(document["source"], entry) for entry in document["transcript"]]


def _transcript(source: str, entry: dict[str, Any]) -> Transcript:
    responses = tuple(text.encode() for text in entry["responses"])
    challenges = tuple(text.encode() for text in entry.get("challenges", ()))
    # The RFCs print the base64; writing {} for it here keeps the two forms from disagreeing.
    encoded = {
        **{f"response{n}": b64encode(text).decode() for n, text in enumerate(responses)},
        **{f"challenge{n}": b64encode(text).decode() for n, text in enumerate(challenges)},
    }
    return Transcript(
        source=f"{source} section {entry['section']}, {entry['title']}",
        wire=entry["wire"],
        mechanism=entry["mechanism"].encode(),
        responses=responses,
        challenges=challenges,
        outcome=entry["outcome"],
        secret=_octets(entry.get("secret")),
        authcid=_octets(entry.get("authcid")),
        authzid=_octets(entry.get("authzid")),
        dialogue=tuple(line.format(**encoded) for line in entry.get("dialogue", ())),
    )


def _octets(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
