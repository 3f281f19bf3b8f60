"""
Tests for L{mailauth.oauth.responses}, and for every error of OAuth in the tree.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import mailauth
from mailauth.oauth.responses import OAuthError, withParameters, writeJSON

PACKAGE = Path(mailauth.__file__).parent

# RFC 6749 section 5.2:
#
#   error_description = 1*( %x20-21 / %x23-5B / %x5D-7E )
DESCRIPTION = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")

# Those of IANA's registry of errors that a server of this kind may send.
CODES = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "authorization_pending",
        "consent_required",
        "expired_token",
        "insufficient_scope",
        "interaction_required",
        "invalid_client",
        "invalid_client_metadata",
        "invalid_dpop_proof",
        "invalid_grant",
        "invalid_redirect_uri",
        "invalid_request",
        "invalid_request_object",
        "invalid_request_uri",
        "invalid_scope",
        "invalid_target",
        "invalid_token",
        "login_required",
        "registration_not_supported",
        "request_not_supported",
        "request_uri_not_supported",
        "server_error",
        "slow_down",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "unsupported_token_type",
        "use_dpop_nonce",
    }
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


class Errors:
    """
    The places in one module where an L{OAuthError} is made, also by way of a function of the module
    that is given the code or the description.
    """

    def __init__(self, module: ast.Module) -> None:
        self._module = module
        self._constants = {
            target.id: statement.value
            for statement in module.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
        # Which of its arguments are the code and the description, by the name of the function.
        self._makers: dict[str, list[int | None]] = {"OAuthError": [0, 1]}
        self._passedOn: set[int] = set()
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef):
                self._learn(function)

    def _learn(self, function: ast.FunctionDef) -> None:
        names = [each.arg for each in function.args.args if each.arg != "self"]
        for call, places in list(self._calls(function)):
            arguments = [None if place is None else call.args[place] for place in places]
            passed = [
                names.index(each.id) if isinstance(each, ast.Name) and each.id in names else None
                for each in arguments
            ]
            if passed != [None, None]:
                self._makers[function.name] = passed
                self._passedOn.update(
                    id(each)
                    for each, place in zip(arguments, passed, strict=True)
                    if place is not None
                )

    def _calls(self, tree: ast.AST) -> Iterator[tuple[ast.Call, list[int | None]]]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
                if name in self._makers:
                    yield node, self._makers[name]

    def codes(self) -> list[tuple[int, str | None]]:
        """
        The line and the text of each; C{None} where the text does not stand there.
        """
        return sorted(self._written(0), key=itemgetter(0))

    def descriptions(self) -> list[tuple[int, str | None]]:
        """
        See L{codes}. Of a text with something filled in, what stands around that.
        """
        return sorted(self._written(1), key=itemgetter(0))

    def _written(self, which: int) -> Iterator[tuple[int, str | None]]:
        for call, places in self._calls(self._module):
            place = places[which]
            if place is not None and id(call.args[place]) not in self._passedOn:
                for text in self._texts(call.args[place]):
                    yield call.lineno, text

    def _texts(self, node: ast.expr) -> Iterator[str | None]:
        if isinstance(node, ast.Name):
            node = self._constants.get(node.id, node)
        if isinstance(node, ast.IfExp):
            yield from self._texts(node.body)
            yield from self._texts(node.orelse)
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value for part in node.values if isinstance(part, ast.Constant))
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        else:
            yield None


class ErrorTests(SynchronousTestCase):
    """
    L{OAuthError}.
    """

    def test_members(self) -> None:
        """
        The wire gets the code and the description, the log the reason.
        """
        error = OAuthError("invalid_grant", "The code has expired.", "expired 3 s ago")

        self.assertEqual(
            {"error": "invalid_grant", "error_description": "The code has expired."},
            error.members(),
        )
        self.assertEqual("expired 3 s ago", error.reason)
        self.assertEqual("invalid_grant", str(error))

    def test_reason(self) -> None:
        """
        Where there is nothing more to say, the log gets the description.
        """
        self.assertEqual("No.", OAuthError("invalid_grant", "No.").reason)

    def test_status(self) -> None:
        """
        400, but for what HTTP has its own words for (RFC 6749 section 5.2, RFC 6750 section 3.1).
        """
        for code, status in [
            ("invalid_request", 400),
            ("invalid_grant", 400),
            ("slow_down", 400),
            ("invalid_client", 401),
            ("invalid_token", 401),
            ("insufficient_scope", 403),
            ("temporarily_unavailable", 503),
            ("server_error", 500),
        ]:
            self.assertEqual(status, OAuthError(code, "No.").status)

    def test_everyErrorInTheTree(self) -> None:
        """
        Every code that is written where the error is made is a registered one, and every
        description is written there, in the characters that RFC 6749 section 5.2 allows: they need
        no quoting in a header (O 72).
        """
        count = 0
        for path in sorted(PACKAGE.rglob("*.py")):
            errors = Errors(ast.parse(path.read_text("utf-8")))
            for line, code in errors.codes():
                self.assertIn(code, {*CODES, None}, f"{path}:{line}")
                count += 1
            for line, description in errors.descriptions():
                allowed = description is not None and DESCRIPTION.fullmatch(description)
                self.assertTrue(allowed, f"{path}:{line}: {description!r}")
        self.assertGreater(count, 10)

    def test_errorsAreFound(self) -> None:
        """
        What the test above looks at: calls in the open and by way of functions, with constants,
        conditions and texts that something is filled into (O 72).
        """
        errors = Errors(
            ast.parse(
                "WORDS = 'constant'\n"
                "def refused(words):\n"
                "    return OAuthError('a', words)\n"
                "def no(self, words, code): return responses.OAuthError(code, words)\n"
                "raise refused('by a function')\n"
                "raise self.no('by a method', 'b')\n"
                "raise OAuthError('c', f'filled {x} in')\n"
                "raise OAuthError('d' if x else 'e', WORDS, reason)\n"
                "raise OAuthError('f', str(error))\n"
            )
        )

        self.assertEqual(
            [(3, "a"), (6, "b"), (7, "c"), (8, "d"), (8, "e"), (9, "f")], errors.codes()
        )
        self.assertEqual(
            [
                (5, "by a function"),
                (6, "by a method"),
                (7, "filled  in"),
                (8, "constant"),
                (9, None),
            ],
            errors.descriptions(),
        )


class JSONTests(SynchronousTestCase):
    """
    L{writeJSON}.
    """

    def test_ascii(self) -> None:
        """
        It is ASCII, and reads as what was written.
        """
        members = {"client_name": "J\u00fcrgen's \u2028", "scope": "a b", "expires_in": 900}

        self.assertTrue(writeJSON(members).isascii())
        self.assertEqual(members, json.loads(writeJSON(members)))
        self.assertEqual(b'{"active":false}', writeJSON({"active": False}))


class AddressTests(SynchronousTestCase):
    """
    L{withParameters}.
    """

    def test_addresses(self) -> None:
        """
        Parameters are added to addresses of all kinds that are registered, and the rest of them
        stays octet for octet (RFC 6749 section 3.1.2).
        """
        for address, expected in [
            ("https://app.example/cb", "https://app.example/cb?code=x"),
            ("https://app.example", "https://app.example?code=x"),
            ("https://app.example/cb?a=%2Fb&c", "https://app.example/cb?a=%2Fb&c&code=x"),
            ("http://127.0.0.1:38465/callback", "http://127.0.0.1:38465/callback?code=x"),
            ("http://[::1]:38465/", "http://[::1]:38465/?code=x"),
            ("http://localhost:8765", "http://localhost:8765?code=x"),
            ("com.example.app:/cb", "com.example.app:/cb?code=x"),
            ("com.example.app:///cb", "com.example.app:///cb?code=x"),
            ("com.example.App://oauth", "com.example.App://oauth?code=x"),
            ("eu.faircode.email:/", "eu.faircode.email:/?code=x"),
            ("eu.faircode.email:/?a=b", "eu.faircode.email:/?a=b&code=x"),
        ]:
            self.assertEqual(expected, withParameters(address, {"code": "x"}))

    def test_absent(self) -> None:
        """
        What is C{None} is left out, and C{state} is not made up (O 40).
        """
        address = "https://app.example/cb"

        self.assertEqual(address + "?a=", withParameters(address, {"a": "", "state": None}))
        self.assertEqual(address, withParameters(address, {"state": None}))
        self.assertEqual(address, withParameters(address, {}))

    @given(
        st.sampled_from(["https://app.example/cb", "https://app.example/?x=1", "com.example:/"]),
        st.dictionaries(st.from_regex(r"[a-w_]+", fullmatch=True), TEXT, max_size=5),
    )
    def test_anyValues(self, address: str, parameters: dict[str, str]) -> None:
        """
        Whatever the values are, each comes back as it was, once, behind what was there; and the
        address is printable ASCII, so that it is a header (O 40).
        """
        made = withParameters(address, parameters)

        self.assertTrue(made.isascii() and made.isprintable(), made)
        self.assertTrue(made.startswith(address))
        before = parse_qsl(urlsplit(address).query)
        self.assertEqual(
            [*before, *parameters.items()],
            parse_qsl(urlsplit(made).query, keep_blank_values=True, max_num_fields=10),
        )
