"""
Dovecot, as C{docs/dovecot.md} says that it be configured. Owns its process, and the rest of its
configuration: what somebody has who has a Dovecot already.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Timer

import attrs

from . import ALICE
from .documents import blocksOf, filledIn
from .ports import freePort
from .programs import TIMEOUT, run

MESSAGE = b"Subject: Hello\r\n\r\nHello Alice.\r\n"
"""
What is in alice's inbox.
"""

_COMMON = """
base_dir = {directory}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
default_internal_user = {internalUser}
default_login_user = {loginUser}
default_internal_group = {internalGroup}
service imap-login {{
  chroot = {chroot}
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
  }}
}}
# Nobody is made to wait for having been refused.
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
!include {directory}/99-mailauth.conf
"""

_OF_2_3 = """
ssl_cert = <{directory}/server.pem
ssl_key = <{directory}/server.key
mail_location = maildir:~/Maildir
userdb {{
  driver = static
  args = uid={owner} gid={group} home={directory}/mail/%u
}}
"""

_OF_2_4 = """
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
ssl_server_cert_file = {directory}/server.pem
ssl_server_key_file = {directory}/server.key
mail_driver = maildir
mail_path = ~/Maildir
userdb static {{
  fields {{
    uid = {owner}
    gid = {group}
    home = {directory}/mail/%{{user}}
  }}
}}
"""


@attrs.frozen
class Dovecot:
    """
    One that runs.
    """

    process: subprocess.Popen[bytes]
    port: int

    def stop(self) -> bytes:
        """
        Stop it, and wait until it is gone.

        @return: what it said.
        """
        self.process.terminate()
        log, _ = self.process.communicate(timeout=TIMEOUT)
        return log


@attrs.frozen
class Installation:
    """
    Where a Dovecot is.

    @ivar root: of another system below a directory of this one, or this one's own.
    """

    root: Path = Path("/")

    @property
    def command(self) -> tuple[str, ...]:
        """
        How it is called.
        """
        return ("dovecot",) if self.root == Path("/") else ("chroot", str(self.root), "dovecot")

    def inside(self, path: Path) -> Path:
        """
        What it calls a file of this system.
        """
        return Path("/") / path.relative_to(self.root)


def newestInstallation() -> Installation:
    """
    The one in the system that C{MAILAUTH_DOVECOT_ROOT} names, because this one's is too old for
    the type of our tokens; this one's if there is no other.
    """
    return Installation(Path(os.environ.get("MAILAUTH_DOVECOT_ROOT", "/")))


def versionOfDovecot(installation: Installation = Installation()) -> tuple[int, ...]:
    """
    Which one is installed.
    """
    match = re.match(rb"[0-9.]+", run(*installation.command, "--version").output)
    assert match is not None
    return tuple(map(int, match[0].split(b".")))


def startDovecot(
    directory: Path,
    way: str,
    replacements: Mapping[str, str],
    installation: Installation = Installation(),
) -> Dovecot:
    """
    Start a Dovecot, and wait until it is ready.

    @param directory: for all that it has; a certificate and its key are there already.
    @param way: to find out what a token is worth, by the heading in the document.
    @param replacements: for what the document made up.
    """
    version = "2.4" if versionOfDovecot(installation) >= (2, 4) else "2.3"
    inside = installation.inside(directory)
    # It opens no mailbox as root.
    owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    _makeMailbox(directory, owner)
    port = freePort()
    (directory / "dovecot.conf").write_text(_rest(inside, version, port, owner))
    for block in blocksOf("dovecot.md", f"{way} with Dovecot {version}"):
        written = filledIn(block, {**replacements, "/etc/dovecot/": f"{inside}/"})
        path = directory / Path(block.partition("\n")[0]).name
        path.touch(mode=0o600)
        path.write_text(written)
    process = subprocess.Popen(
        (*installation.command, "-F", "-c", str(inside / "dovecot.conf")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    hanging = Timer(TIMEOUT, process.kill)
    hanging.start()
    try:
        _awaitReadiness(process)
    finally:
        hanging.cancel()
    return Dovecot(process, port)


def _awaitReadiness(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        if b"starting up for imap" in line:
            return
        said.append(line)
    raise AssertionError(b"".join(said))


def _makeMailbox(directory: Path, owner: pwd.struct_passwd) -> None:
    """
    Alice's, with a message.
    """
    home = directory / "mail" / ALICE
    for name in ("cur", "new", "tmp"):
        (home / "Maildir" / name).mkdir(parents=True)
    (home / "Maildir" / "new" / "1").write_bytes(MESSAGE)
    if os.getuid() == 0:
        for path in (home, *home.rglob("*")):
            shutil.chown(path, owner.pw_uid, owner.pw_gid)


def _rest(directory: Path, version: str, port: int, owner: pwd.struct_passwd) -> str:
    """
    What is not in the document. Whoever is not root is everybody, and in no jail.
    """
    isRoot = os.getuid() == 0
    template = {"2.3": _OF_2_3, "2.4": _OF_2_4}[version] + _COMMON
    return template.format(
        directory=directory,
        port=port,
        owner=owner.pw_uid,
        group=owner.pw_gid,
        internalUser="dovecot" if isRoot else owner.pw_name,
        internalGroup="dovecot" if isRoot else grp.getgrgid(owner.pw_gid).gr_name,
        loginUser="dovenull" if isRoot else owner.pw_name,
        chroot="login" if isRoot else "",
    )
