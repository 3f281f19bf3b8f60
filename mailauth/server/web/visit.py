"""
One request of a browser, and what it gets for it. Owns what a browser may do with a page, how it is
known again, and which forms are taken.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from twisted.web.http import Request

from ...oauth.records import BrowserSession
from ...oauth.requests import Form, parseForm
from ..browsersessions import BrowserSessions
from ..sealing import Sealer
from .assets import Assets
from .endpoint import FORM, RETRY_AFTER, Answer, bodyOf, peerOf, queryOf
from .words import say

HTML = b"text/html; charset=utf-8"

SESSION_COOKIE = b"__Host-mailauth"
"""
The secret of the browser session.
"""

BROWSER_COOKIE = b"__Host-mailauth-browser"
"""
Marks a browser before anybody has signed in: forms and sealed sign-ins are worth nothing in any
other.
"""

# RFC 6265bis section 4.1.3.2: with this prefix no neighbour below the same domain can set it.
# SameSite=Lax because a person comes here from the client's site.
_COOKIE = b"%b=%b; Path=/; Secure; HttpOnly; SameSite=Lax"

_HEADERS = (
    (b"X-Frame-Options", b"DENY"),
    # Addresses hold what is under way.
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (
        b"Permissions-Policy",
        b"publickey-credentials-get=(self), publickey-credentials-create=(self), "
        b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
)


_RETRY_AFTER = {429: b"60", 503: b"%d" % RETRY_AFTER}


class ForgedForm(Exception):
    """
    A form that was not made here for this browser, or not for this.
    """


class NoCookie(Exception):
    """
    A form without the cookie that the page came with.
    """


class SignedOut(Exception):
    """
    Nobody is signed in any more, and somebody was.
    """


@attrs.frozen
class Pages:
    """
    What all pages share.

    @ivar issuer: the address that everything is below.
    @ivar hostname: what people call the server.
    @ivar sealer: for the tokens in forms.
    @ivar assets: what pages load.
    """

    issuer: str
    hostname: str
    sealer: Sealer = attrs.field(repr=False)
    sessions: BrowserSessions
    assets: Assets
    _environment: Environment = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(
            address=self.address,
            asset=lambda name: self.address(self.assets.path(name)),
            host=self.hostname,
        )
        object.__setattr__(self, "_environment", environment)

    @property
    def origin(self) -> str:
        """
        As browsers name it (RFC 6454 section 6.2).
        """
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    def address(self, path: str = "", **query: str) -> str:
        """
        Where something is.

        @param path: below the issuer, without a slash at the start.
        """
        behind = f"?{urlencode(query)}" if query else ""
        return f"{urlsplit(self.issuer).path.rstrip('/')}/{path}{behind}"

    def write(self, template: str, values: Mapping[str, Any]) -> bytes:
        """
        A page in HTML.
        """
        page = self._environment.get_template(f"{template}.html")
        return page.render(values).encode("utf-8")


class Visit:
    """
    One request of a browser, and what the answer will have besides its content.

    @ivar peer: the address that it comes from.
    """

    def __init__(self, request: Request, pages: Pages) -> None:
        self._request = request
        self._pages = pages
        self._cookies: list[bytes] = []
        self._form: Form | None = None
        self.peer = peerOf(request)
        self.language = "en"
        self._browser: str | None = self.cookie(BROWSER_COOKIE)

    def cookie(self, name: bytes) -> str | None:
        """
        What the browser sends under a name.
        """
        value: bytes | None = self._request.getCookie(name)
        return None if value is None else value.decode("latin-1")

    @property
    def userAgent(self) -> str | None:
        """
        What the browser calls itself, unverified.
        """
        value: bytes | None = self._request.getHeader(b"user-agent")
        return None if value is None else value.decode("latin-1")[:256]

    # Who it is

    @property
    def browser(self) -> str:
        """
        The mark of this browser. One that has none is given one.
        """
        if self._browser is None:
            self._browser = secrets.token_urlsafe(32)
            self._cookies.append(_COOKIE % (BROWSER_COOKIE, self._browser.encode("ascii")))
        return self._browser

    async def session(self) -> BrowserSession | None:
        """
        Who is signed in.
        """
        return await self._pages.sessions.find(self.cookie(SESSION_COOKIE))

    async def requiredSession(self) -> BrowserSession:
        """
        @raise SignedOut: nobody is signed in.
        """
        session = await self.session()
        if session is None:
            raise SignedOut
        return session

    def signIn(self, secret: str, session: BrowserSession) -> None:
        """
        Let the browser keep its new session.
        """
        seconds = max(0, int(session.expires - session.created))
        cookie = _COOKIE % (SESSION_COOKIE, secret.encode("ascii"))
        self._cookies.append(b"%b; Max-Age=%d" % (cookie, seconds))

    def keep(self, name: bytes, value: str) -> None:
        """
        Let the browser keep something until it is closed.
        """
        self._cookies.append(_COOKIE % (name, value.encode("ascii")))

    def signOut(self) -> None:
        """
        Let the browser forget its session.
        """
        self.forget(SESSION_COOKIE)

    def forget(self, name: bytes) -> None:
        """
        Let the browser forget something.
        """
        self._cookies.append(b"%b; Max-Age=0" % (_COOKIE % (name, b"")))

    # What it says

    @property
    def path(self) -> str:
        """
        What was asked for, below the issuer, with its query.
        """
        uri: bytes = self._request.uri
        return uri.decode("latin-1").removeprefix(self._pages.address())

    def query(self) -> Form:
        """
        What stands behind the question mark.
        """
        return parseForm(queryOf(self._request))

    def number(self, name: str) -> int | None:
        """
        A number that stands there, C{None} if there is none that could count anything here.
        """
        typed = self.query().get(name, "")
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 15 else None

    def clientForm(self) -> Form:
        """
        A form that the page of a client sends. It asks for something, and decides nothing.
        """
        if self._form is None:
            self._form = parseForm(bodyOf(self._request, FORM))
        return self._form

    def form(self, *purpose: str) -> Form:
        """
        A form of ours, in which a person decides something.

        @param purpose: what L{formToken} was told.
        @raise ForgedForm: it was not made here for this browser, or not for this.
        @raise NoCookie: it may have been, but the browser sends no cookies.
        """
        self._checkOrigin()
        form = self.clientForm()
        if self._browser is None:
            raise NoCookie
        if not secrets.compare_digest(
            form.get("csrf", "").encode("utf-8"), self.formToken(*purpose).encode("ascii")
        ):
            raise ForgedForm
        return form

    def _checkOrigin(self) -> None:
        """
        Browsers say where a form comes from. Because of our own C{Referrer-Policy} the origin is
        C{null} for ours, too (Fetch section 3.2), and then the site tells the difference (Fetch
        Metadata section 2.3): C{none} is a person who sends a form again.
        """
        origin = self._request.getHeader(b"origin")
        site = self._request.getHeader(b"sec-fetch-site")
        if origin not in (None, b"null", self._pages.origin.encode("ascii")):
            raise ForgedForm
        if site not in (None, b"same-origin", b"none"):
            raise ForgedForm

    def formToken(self, *purpose: str) -> str:
        """
        What proves that a form was made here, for this browser.

        @param purpose: what it is for, so that no form passes for another.
        """
        octets = "\0".join((self.browser, *purpose)).encode("utf-8")
        return urlsafe_b64encode(self._pages.sealer.mac(octets)).decode("ascii").rstrip("=")

    # What it gets

    def say(self, key: str, **values: Any) -> Markup:
        """
        A sentence of L{words<mailauth.server.web.words>}.
        """
        return say(self.language, key, **values)

    def page(
        self, template: str, status: int = 200, target: str | None = None, **values: Any
    ) -> Answer:
        """
        A page.

        @param target: where the answer to its form may lead, as a source of CSP: Chromium applies
            C{form-action} to redirects, too.
        """
        values = {**values, "_": self.say, "language": self.language}
        content = self._pages.write(template, values)
        forms = f"'self' {target}" if target else "'self'"
        policy = (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
            f"form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
        )
        headers = [*_HEADERS, (b"Content-Security-Policy", policy.encode("ascii"))]
        if target is None:
            # A client may have opened the other pages in a window of its own, and waits for it.
            headers.append((b"Cross-Origin-Opener-Policy", b"same-origin"))
        if status in _RETRY_AFTER:
            headers.append((b"Retry-After", _RETRY_AFTER[status]))
        return Answer(content, status, HTML, (*headers, *self._setCookies()))

    def message(self, key: str, status: int = 200, **values: Any) -> Answer:
        """
        A page that only says something.
        """
        return self.page("message", status, key=key, **{"developer": None, **values})

    def seeOther(self, location: str) -> Answer:
        """
        Go on somewhere else. Never 307, with which a browser would send its form, and the password
        in it, there (RFC 9700 section 4.12).
        """
        headers = (
            (b"Location", location.encode("utf-8")),
            (b"Referrer-Policy", b"no-referrer"),
        )
        return Answer(status=303, headers=(*headers, *self._setCookies()))

    def goTo(self, path: str, **query: str) -> Answer:
        """
        Go on to a page of ours.

        @param path: below the issuer.
        """
        return self.seeOther(self._pages.address(path, **query))

    def again(self, path: str) -> Answer:
        """
        Have the form of a client's page asked for again, as an address of ours: what comes from
        another site comes without our cookies, and then they are there.
        """
        form = self.clientForm()
        fields = [*form.items(), *(("resource", each) for each in form.resources)]
        return self.seeOther(f"{self._pages.address(path)}?{urlencode(fields)}")

    def _setCookies(self) -> tuple[tuple[bytes, bytes], ...]:
        return tuple((b"Set-Cookie", each) for each in self._cookies)
