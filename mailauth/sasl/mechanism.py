"""
The contract of a mechanism, on one page.

A mechanism is asked C{step(transcript)} whenever the client has spoken, and answers with one of:

  - a L{Challenge}: it needs another response;
  - credentials, without a context yet: it has heard everything.

It raises L{InvalidResponse<mailauth.errors.InvalidResponse>} for what it cannot read. The
transcript is the tuple of the decoded responses so far. A client that sends no initial response
starts with C{()}, one that sends an empty one with C{(b"",)}: a mechanism in which the client
speaks first answers C{()} with an empty challenge, and is wrong to do so for C{(b"",)}.

After the verdict it is asked C{refusal(error, service)} once: most mechanisms have nothing to say
there, the bearer mechanisms send the error document of RFC 7628.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Challenge:
    """
    What the server says next, before base64.
    """

    content: bytes
