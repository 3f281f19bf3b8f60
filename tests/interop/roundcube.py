"""
Roundcube. Owns its process, what its configuration has besides what is ours, and the cookies of its
one visitor.

PHP's own server speaks no TLS, so this is the proxy that does it for Roundcube: it speaks of itself
as L{ADDRESS}.
"""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from sqlite3 import Connection, connect
from threading import Timer
from time import time
from typing import Any
from urllib.parse import urlencode

import attrs

from . import HOST
from .ports import freePort
from .programs import TIMEOUT

ADDRESS = "https://webmail.example.org"

INSTALLED = Path("/var/lib/roundcube")
"""
Where Debian has it.
"""

_DEFAULTS = Path("/etc/roundcube/defaults.inc.php")

_REST = """<?php
$config = [];
$config['db_dsnw'] = 'sqlite:///{directory}/roundcube.db?mode=0600';
$config['des_key'] = 'abcdefghijklmnopqrstuvwx';
$config['log_driver'] = 'stdout';
$config['temp_dir'] = '{directory}';
"""

_SESSION = "roundcube_sessid"
_EXPIRES = re.compile(r'(?<=s:7:"expires";i:)[0-9]+')
_ENVIRONMENT = re.compile(r"rcmail\.set_env\((\{.*?\})\);")


@attrs.frozen
class Response:
    """
    What Roundcube answered.

    @ivar location: where it sends the browser, C{""} if it does not.
    """

    status: int
    location: str
    body: str

    @property
    def environment(self) -> dict[str, Any]:
        """
        What a page tells its scripts.
        """
        match = _ENVIRONMENT.search(self.body)
        assert match is not None, self.body
        environment: dict[str, Any] = json.loads(match[1])
        return environment


class Roundcube:
    """
    One that runs.
    """

    def __init__(self, directory: Path, authority: str, lines: str) -> None:
        """
        Start it, and wait until it is ready.

        @param directory: for all that it has.
        @param authority: the file with the certificate to trust.
        @param lines: of its configuration.
        """
        (directory / "config.inc.php").write_text(_REST.format(directory=directory) + lines)
        (directory / _DEFAULTS.name).symlink_to(_DEFAULTS)
        self._database = directory / "roundcube.db"
        self._cookies: SimpleCookie = SimpleCookie()
        self._port = freePort()
        self._process = subprocess.Popen(
            (
                *("php", "-S", f"{HOST}:{self._port}", "-t", INSTALLED),
                *("-d", f"openssl.cafile={authority}", "-d", f"curl.cainfo={authority}"),
            ),
            env={"ROUNDCUBE_CONFIG_DIR": str(directory)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        hanging = Timer(TIMEOUT, self._process.kill)
        hanging.start()
        try:
            assert self._process.stderr is not None
            started = self._process.stderr.readline()
        finally:
            hanging.cancel()
        assert b"started" in started, started

    def stop(self) -> None:
        """
        Stop it, and wait until it is gone.
        """
        self._process.terminate()
        self._process.communicate(timeout=TIMEOUT)

    def get(self, address: str) -> Response:
        """
        @param address: of Roundcube's, with or without its host.
        """
        return self._ask("GET", address)

    def post(self, address: str, fields: Mapping[str, str]) -> Response:
        """
        Send a form.
        """
        return self._ask("POST", address, urlencode(fields))

    def _ask(self, method: str, address: str, body: str | None = None) -> Response:
        connection = HTTPConnection(HOST, self._port, timeout=TIMEOUT)
        headers = {
            "Host": ADDRESS.removeprefix("https://"),
            "Cookie": "; ".join(f"{each.key}={each.value}" for each in self._cookies.values()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with closing(connection):
            connection.request(method, address.removeprefix(ADDRESS), body, headers)
            response = connection.getresponse()
            for header in response.headers.get_all("Set-Cookie", ()):
                self._cookies.load(header)
            text = response.read().decode("utf-8")
            return Response(response.status, response.headers.get("Location", ""), text)

    def tokenExpires(self) -> float:
        """
        When the access token of the visitor is over, as Roundcube knows it.
        """
        with closing(connect(self._database)) as database:
            match = _EXPIRES.search(self._session(database))
        assert match is not None
        return float(match[0])

    def age(self) -> None:
        """
        Let it find that the access token is over, which takes it a quarter of an hour otherwise.
        """
        with closing(connect(self._database)) as database, database:
            aged = _EXPIRES.sub(str(int(time()) - 1), self._session(database)).encode()
            database.execute(
                "UPDATE session SET vars = ? WHERE sess_id = ?",
                (b64encode(aged).decode("ascii"), self._cookies[_SESSION].value),
            )

    def _session(self, database: Connection) -> str:
        """
        What Roundcube remembers of its visitor.
        """
        [[encoded]] = database.execute(
            "SELECT vars FROM session WHERE sess_id = ?", (self._cookies[_SESSION].value,)
        )
        return b64decode(encoded).decode()
