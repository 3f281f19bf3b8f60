"""
Tests that whatever can be done on the administration site can be done by the command, by the same
actions.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import click
from twisted.trial.unittest import SynchronousTestCase

import mailauth.server.administration
import mailauth.server.web.admin
from mailauth.server.administration import Administration
from mailauth.server.cli import main

COMMANDS = {
    "accounts.create": "account add",
    "accounts.remove": "account remove",
    "accounts.disable": "account disable",
    "accounts.enable": "account enable",
    "accounts.setPassword": "account password",
    "accounts.clearPassword": "account password",
    "accounts.setPasswordRule": "account password-rule",
    "accounts.addAlias": "account alias add",
    "accounts.removeAlias": "account alias remove",
    "appPasswords.make": "app-password add",
    "appPasswords.revoke": "app-password revoke",
    "appPasswords.setLimit": "account quota",
    "appPasswords.importHash": "app-password import",
    "appPasswords.importLines": "app-password import",
    "access.end": "session end",
    "access.endApplication": "session end",
    "access.endBrowser": "session end",
    "access.endConnection": "session end",
    "access.endAll": "session end",
    "factors.enrolTOTP": "account totp",
    "factors.removeTOTP": "account totp",
    "factors.removePasskey": "account passkeys",
    "clients.add": "client add",
    "clients.remove": "client remove",
    "clients.deny": "client deny",
    "keys.rotate": "key rotate",
    "keys.revoke": "key revoke",
    "identities.link": "account identities",
    "identities.unlink": "account identities",
}
"""
For each action the command that does it.
"""

OWNERS = {
    "factors.confirmTOTP",
    "factors.renewRecoveryCodes",
    "factors.addPasskey",
    "factors.renamePasskey",
}
"""
Those that need what their owner has in his hands, and are on the account site alone.
"""

ONE_FOR_ALL = {"access.endApplication", "access.endBrowser", "access.endConnection"}
"""
Those that the command does by C{access.end}, which takes the id of any of them.
"""


def actions() -> Iterator[str]:
    """
    Everything that somebody can do.
    """
    nouns = get_type_hints(Administration, vars(mailauth.server.administration))
    for noun, kind in nouns.items():
        for verb, method in inspect.getmembers(kind, inspect.isfunction):
            if "actor" in inspect.signature(method).parameters and verb[0] != "_":
                yield f"{noun}.{verb}"


class EveryActionTests(SynchronousTestCase):
    """
    The list of actions.
    """

    def test_everyAction(self) -> None:
        """
        Each is somebody's: there is a command for it, or it is its owner's.
        """
        recording = {"recorder.record"}

        self.assertEqual({*COMMANDS, *OWNERS}, set(actions()) - recording)

    def test_everyCommand(self) -> None:
        """
        The command is there, and does it by the action.
        """
        for action, words in COMMANDS.items():
            command: click.Command = main
            for word in words.split():
                assert isinstance(command, click.Group)
                command = command.commands[word]
            assert command.callback is not None
            source = inspect.getsource(inspect.getmodule(command.callback) or main)
            does = "access.end" if action in ONE_FOR_ALL else action
            self.assertRegex(source, rf"\b{does.partition('.')[2]}\b", words)

    def test_everyPage(self) -> None:
        """
        Nothing is done on the administration site that is not among them; and all of them are done
        there but those that are another's way.
        """
        directory = Path(mailauth.server.web.admin.__file__).parent
        source = "".join(path.read_text("utf-8") for path in directory.glob("*.py"))
        done = {f"{noun}.{verb}" for noun, verb in re.findall(r"\b(\w+)\.(\w+)\(", source)}
        others = {"access.end", "appPasswords.importHash", "factors.enrolTOTP"}

        self.assertEqual(set(COMMANDS) - others, done & set(actions()))
