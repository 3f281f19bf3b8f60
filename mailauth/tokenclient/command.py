"""
The command C{mailauth-token}.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from time import time

from .failures import Failure, OAuthRefusal, Outage, Refusal
from .formats import FORMATS
from .fresh import freshToken, keepTokens, signInFirst
from .signins import SignIn, SignIns

UNEXPECTED = 70
INTERRUPTED = 130

_DESCRIPTION = """\
Prints a fresh access token, for mail programs that can run a command:

  mailauth-token login alice@example.org     sign in, once
  mailauth-token alice@example.org           print a token, ever after
"""

_STATUSES = """\
Exit status: 0 done; 1 refused: somebody has to do something, as it says;
2 wrong usage; 75 the server or the keyring cannot be reached now: nothing is
lost, try again later.
"""

_ADDRESS = re.compile(r'[^\s@"\\]+@[^\s@/?#:%\[\]\\]+')


def main(arguments: Sequence[str] | None = None) -> None:
    """
    The entry point.
    """
    raise SystemExit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """
    Do what is asked.

    @return: the exit status.
    """
    asked = parse(arguments)
    try:
        asked.verb(asked, SignIns.ofEnvironment(os.environ))
        sys.stdout.flush()
    except Failure as failure:
        tell(str(failure))
        return failure.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        # Not its text, which may quote a secret.
        frames = "".join(traceback.format_tb(error.__traceback__))
        tell(f"{frames}This is a fault of mailauth-token: {type(error).__name__}.")
        return UNEXPECTED
    return 0


def tell(text: str) -> None:
    """
    Tell the person something. Standard output is for the program that asked.
    """
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def parse(arguments: Sequence[str]) -> Namespace:
    """
    Read the command line, or end with what is wrong with it.
    """
    parser = ArgumentParser(
        prog="mailauth-token",
        description=_DESCRIPTION,
        epilog=_STATUSES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="what it does", metavar="VERB", required=True)

    def verb(name: str, does: object, help: str) -> ArgumentParser:
        added = verbs.add_parser(name, help=help, description=help)
        added.set_defaults(verb=does)
        return added

    login = verb("login", signIn, "Sign in.")
    _addAddress(login)
    login.add_argument("--issuer", metavar="URL", help="where, if the domain does not say")
    login.add_argument("--client-id", metavar="ID", help="do not register, but be this client")
    login.add_argument(
        "--device", action="store_true", help="show a code for a browser on another computer"
    )
    login.add_argument("--no-browser", action="store_true", help="show the address, open nothing")
    login.add_argument("--no-keyring", action="store_true", help="keep it in a file of yours")
    login.add_argument("--ca-file", metavar="FILE", help="trust these certificates, and no others")
    printing = verb("print", printToken, "Print a fresh token. This word can be left out.")
    _addAddress(printing)
    printing.add_argument("--format", choices=[*FORMATS], default="plain", help="default: plain")
    logout = verb("logout", signOut, "End the access, here and at the server.")
    _addAddress(logout)
    logout.add_argument("--forget", action="store_true", help="here only, without the server")
    verb("list", printList, "Show who is signed in.")

    if arguments and arguments[0] not in (*verbs.choices, "-h", "--help"):
        arguments = ["print", *arguments]
    asked = parser.parse_args(arguments)
    if getattr(asked, "device", False) and asked.client_id is None:
        login.error(
            "--device needs --client-id: only a client that the administrator added may sign in by"
            " a code (mailauth client add --id ID --grant device_code --grant refresh_token)"
        )
    return asked


def _addAddress(parser: ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", type=mailAddress, help="a mail address")


def mailAddress(text: str) -> str:
    """
    A mail address, as an argument.
    """
    if _ADDRESS.fullmatch(text) is None or not text.isprintable():
        raise ArgumentTypeError(f"{text!r} is not a mail address")
    return text


def printToken(asked: Namespace, signIns: SignIns) -> None:
    """
    Print a fresh token.
    """
    token = freshToken(signIns, asked.address)
    print(FORMATS[asked.format](asked.address, token))  # noqa: T201


def signIn(asked: Namespace, signIns: SignIns) -> None:
    """
    Sign in.
    """
    # What takes long to load, and is not needed to print a token.
    from . import keyrings
    from .discovery import fetchMetadata, findIssuer
    from .signingin import Client, byBrowser, byDevice, checkOwner, register
    from .web import Web

    authority = None if asked.ca_file is None else str(Path(asked.ca_file).absolute())
    web = Web(authority)
    # A directory that cannot be used says so before somebody signs in.
    signIns.get(asked.address)
    server = fetchMetadata(web, asked.issuer or findIssuer(web, asked.address))
    client = Client(web, server, asked.client_id or register(web, server), tell)
    if asked.device:
        tokens = byDevice(client)
    else:
        tokens = byBrowser(client, asked.address, _nothing if asked.no_browser else _openBrowser)
    if tokens.refreshToken is None:
        raise Refusal(f"{server.issuer} gives no access that lasts (no refresh token).")
    made = SignIn(
        asked.address,
        server.issuer,
        client.clientId,
        server.tokenEndpoint,
        server.revocationEndpoint,
        authority,
        keyring=not asked.no_keyring,
        refreshToken=tokens.refreshToken,
        accessToken=tokens.accessToken,
        issued=time(),
        lifetime=tokens.lifetime,
    )
    try:
        checkOwner(web, server, tokens.accessToken, asked.address)
    except Failure:
        _drop(made)
        raise
    with signIns.lock(asked.address):
        before = signIns.get(asked.address)
        if before is not None:
            _drop(before)
            if before.keyring:
                keyrings.forget(before.address)
        kept = keepTokens(signIns, made)
    where = "the keyring of this system" if kept.keyring else signIns.path(asked.address)
    tell(f"You are signed in as {asked.address}. It is kept in {where}.")


def _drop(signedIn: SignIn) -> None:
    """
    End what is not needed, if that is possible.
    """
    try:
        _revoke(signedIn)
    except Failure:
        pass


def _openBrowser(location: str) -> None:
    import webbrowser

    webbrowser.open(location)


def _nothing(location: str) -> None:
    pass


def signOut(asked: Namespace, signIns: SignIns) -> None:
    """
    Revoke the refresh token, and forget it.
    """
    from . import keyrings

    with signIns.lock(asked.address):
        found = signIns.get(asked.address)
        if found is None:
            raise Refusal(f"You are not signed in as {asked.address}.")
        if not asked.forget:
            try:
                _revoke(found)
            except Outage as error:
                raise Outage(
                    f"{error} Nothing was changed. Try again later; '--forget' forgets it here, and"
                    " the server is not told."
                ) from None
        if found.keyring:
            keyrings.forget(found.address)
        signIns.forget(asked.address)
    tell(f"You are not signed in as {asked.address} any more.")


def _revoke(signedIn: SignIn) -> None:
    """
    @raise Outage: it is not revoked.
    """
    from . import keyrings
    from .tokens import revoke
    from .web import Web

    if signedIn.over or signedIn.revocationEndpoint is None:
        return
    refreshToken = signedIn.refreshToken or keyrings.find(signedIn.address)
    try:
        revoke(
            Web(signedIn.authority), signedIn.revocationEndpoint, signedIn.clientId, refreshToken
        )
    except OAuthRefusal:
        # A client that the server does not know any more has no access either.
        return


def printList(asked: Namespace, signIns: SignIns) -> None:
    """
    Show who is signed in, where, and where that is kept.
    """
    for each in signIns.all():
        kept = "keyring" if each.keyring else "file"
        state = signInFirst(each.address) if each.over else f"kept in the {kept}"
        print(f"{each.address}  {each.issuer}  {state}")  # noqa: T201
