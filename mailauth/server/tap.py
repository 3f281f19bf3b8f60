"""
C{twistd mailauth}: the options, and what they make.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.failure import Failure

_log = Logger()


class Options(usage.Options):
    """
    The command line.
    """

    synopsis = "[--config FILE]"
    longdesc = (
        "IMAP, submission and POP3 that take OAuth tokens and app passwords. "
        "'mailauth --config FILE config check' says what is wrong with a configuration."
    )
    optParameters = [
        ["config", "c", "/etc/mailauth/mailauth.toml", "The configuration file."],
    ]


def makeService(options: Any) -> IService:
    """
    Make the service that the options describe.

    @raise SystemExit: the configuration cannot be used; every mistake in it is named.
    """
    from twisted.internet import reactor

    from ..stores.records import CannotOpen
    from .config import readConfiguration
    from .service import MailService
    from .tls import UnusableCertificate
    from .toml import ConfigurationError

    path = Path(options["config"]).absolute()
    try:
        service = MailService(readConfiguration(path), reactor, path)
    except (ConfigurationError, CannotOpen, UnusableCertificate) as error:
        raise SystemExit(f"{path}:\n{error}") from None

    def cannotStart(failure: Failure) -> None:
        # Nothing works without the database or a port.
        _log.critical("mailauth cannot start: {reason}", reason=failure.getErrorMessage())
        # Once the reactor was stopped twistd ends with status 0, and whoever watches over it would
        # take that for what was wanted.
        atexit.register(os._exit, 1)
        reactor.stop()

    service.ready.addErrback(cannotStart)
    return service
