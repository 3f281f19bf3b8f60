"""
Pages for people.
"""

from __future__ import annotations

from html import escape

from twisted.web.http import Request

from .documents import Prepared

_ACCOUNT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Signing in to {hostname}</title>
<style>
body {{
  font: 1.1rem/1.6 system-ui, sans-serif;
  margin: 3rem auto; max-width: 40rem; padding: 1rem;
}}
pre {{ overflow-wrap: anywhere; white-space: pre-wrap }}
</style>
</head>
<body>
<main>
<h1>Signing in to {hostname}</h1>
<p>Mail programs do not take the password of your account here. They take one of these:</p>
<ul>
<li><strong>OAuth</strong>: a mail program that can get a token signs you in without a
password.</li>
<li><strong>An app password</strong>: a password of its own for one mail program, which can be
taken away from that program alone. Enter it where the program asks for your password.</li>
</ul>
<p>Your administrator makes an app password for you with this command on the server:</p>
<pre><code>mailauth app-password add you@your-domain --name "my phone"</code></pre>
</main>
</body>
</html>
"""


class Page(Prepared):
    """
    A page that loads nothing and runs nothing.
    """

    def render_GET(self, request: Request) -> bytes:
        """
        Answer with it.
        """
        request.setHeader(
            b"Content-Security-Policy",
            b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
            b"base-uri 'none'; form-action 'none'",
        )
        request.setHeader(b"Referrer-Policy", b"no-referrer")
        return super().render_GET(request)


def accountPage(hostname: str) -> Page:
    """
    Where a refused password leads: what to use in its place, and how to get it.
    """
    content = _ACCOUNT.format(hostname=escape(hostname)).encode("utf-8")
    return Page(content, b"text/html; charset=utf-8")
