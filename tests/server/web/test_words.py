"""
Tests of what the pages say.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

from twisted.trial.unittest import SynchronousTestCase

import mailauth.server.web
from mailauth.scopes import MEANINGS
from mailauth.server.web.words import ENGLISH, LANGUAGES, say

DIRECTORY = Path(mailauth.server.web.__file__).parent

_KEY = re.compile(r'"([a-z]+(?:\.[a-z]+)+)"')


class WordsTests(SynchronousTestCase):
    """
    The table of sentences.
    """

    def test_allSaid(self) -> None:
        """
        Every sentence that the pages name is in the table, and every one in the table is said.
        """
        sources = [
            path.read_text("utf-8")
            for path in (*DIRECTORY.rglob("*.py"), *DIRECTORY.rglob("templates/**/*.html"))
            if path.name != "words.py"
        ]
        named = {key for source in sources for key in _KEY.findall(source)} | {*MEANINGS.values()}
        # Those that are put together from a key and what belongs to it.
        named |= {f"{key}.{part}" for key in named | self.messages() for part in ("title", "text")}

        self.assertEqual(set(), ENGLISH.keys() - named)
        for key in named & {
            key for key in named if key.split(".")[0] in ("scope", "place", "ends")
        }:
            if not key.endswith((".title", ".text")):
                self.assertIn(key, ENGLISH)

    def messages(self) -> set[str]:
        """
        What is said by pages that say nothing else.
        """
        source = (DIRECTORY / "page.py").read_text("utf-8")
        return set(re.findall(r'message\("([a-z]+)"', source)) | {"missing"}

    def test_languages(self) -> None:
        """
        Every language has the same sentences, with the same to fill in.
        """
        for sentences in LANGUAGES.values():
            for key, sentence in ENGLISH.items():
                self.assertEqual(self.fields(sentence), self.fields(sentences[key]), key)

    def fields(self, sentence: str) -> set[str | None]:
        """
        What has to be filled in.
        """
        return {field for _, field, _, _ in Formatter().parse(sentence)} - {None}

    def test_escaped(self) -> None:
        """
        What is filled in is text, whatever it looks like (WB4).
        """
        said = say("en", "second.account", account="<b>{account}</b>")

        self.assertIn("<bdi>&lt;b&gt;{account}&lt;/b&gt;</bdi>", said)
