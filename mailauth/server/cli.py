"""
The C{mailauth} command. It works on the same stores as the running service, and what it changes
holds there at once.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from .commands.account import account
from .commands.apppassword import appPassword
from .commands.audit import audit
from .commands.client import client
from .commands.dns import dns
from .commands.doctor import doctor
from .commands.factors import passkeys, totp
from .commands.health import health
from .commands.invocation import DEFAULT_CONFIGURATION, Invocation, refuse
from .commands.issuer import issuer
from .commands.key import key
from .commands.session import session
from .commands.token import token
from .config import CONFIGURATION
from .tls import ReloadableContext, UnusableCertificate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    envvar="MAILAUTH_CONFIG",
    help=f"The configuration file.  [default: $MAILAUTH_CONFIG, then {DEFAULT_CONFIGURATION}]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The directory of a demo, in place of a configuration file.",
)
@click.option("--json", "asJSON", is_flag=True, help="Answer in JSON.")
@click.version_option(package_name="mailauth")
@click.pass_context
def main(context: click.Context, config: Path | None, data: Path | None, asJSON: bool) -> None:
    """OAuth tokens and app passwords for mail.

    What a command changes holds in the running service at once.
    """
    path = config or DEFAULT_CONFIGURATION
    if data is not None:
        path = data / CONFIGURATION
    context.obj = Invocation(path, asJSON)


for _noun in (
    account,
    appPassword,
    token,
    session,
    client,
    key,
    issuer,
    audit,
    health,
    dns,
    doctor,
):
    main.add_command(_noun)

for _verb in (passkeys, totp):
    account.add_command(_verb)


@main.group("config")
def configuration() -> None:
    """The configuration file."""


@configuration.command()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Name every mistake in the file, with its key."""
    read = invocation.configuration()
    try:
        ReloadableContext(read.certificate, read.privateKey)
    except UnusableCertificate as error:
        refuse(f"tls: {error}")
    invocation.answer({"ok": True}, f"{invocation.path} is good.")


@main.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("mailauth-demo"),
    show_default=True,
    help="The directory to keep everything in.",
)
@click.option(
    "--base-port",
    type=click.IntRange(0, 64000),
    default=1000,
    show_default=True,
    help="What is added to the standard ports.",
)
@click.option("--json", "asJSON", is_flag=True, help="Say in one line of JSON when it is ready.")
@click.option(
    "--insecure-loopback", is_flag=True, help="Let clients sign in without TLS, for measuring."
)
def demo(data: Path, base_port: int, asJSON: bool, insecure_loopback: bool) -> None:
    """Run everything on this machine, with nothing else to set up."""
    from twisted.internet import reactor

    from .demo import prepare

    try:
        prepared = prepare(data, base_port, insecure_loopback)
    except OSError as error:
        refuse(f"the demo cannot use {data}: {error.strerror}")
    runDemo(reactor, prepared, asJSON)


def runDemo(reactor: Any, prepared: Any, asJSON: bool) -> None:
    """
    Serve until stopped.
    """
    from twisted.logger import globalLogBeginner, textFileLogObserver

    from .demo import describe, describeJSON, populate
    from .service import MailService

    log = (prepared.directory / "mailauth.log").open("a", encoding="utf-8")
    globalLogBeginner.beginLoggingTo([textFileLogObserver(log)], redirectStandardIO=False)
    service = MailService(prepared.configuration, reactor)
    program = f"PATH={shlex.quote(str(Path(sys.argv[0]).resolve().parent))}:$PATH"
    failures: list[BaseException] = []

    async def begin() -> None:
        await service.ready
        await populate(prepared, service)
        if asJSON:
            click.echo(describeJSON(prepared, service.ports))
        else:
            click.echo(describe(prepared, service.ports, program))

    def failed(failure: Any) -> None:
        failures.append(failure.value)
        reactor.stop()

    def start() -> None:
        service.privilegedStartService()
        service.startService()
        Deferred.fromCoroutine(begin()).addErrback(failed)

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    if failures:
        taken = isinstance(failures[0], CannotListenError)
        advice = "; '--base-port 2000' takes other ports" if taken else ""
        refuse(f"the demo could not start: {str(failures[0]).rstrip('.')}{advice}")
