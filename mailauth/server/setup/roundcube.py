"""
What Roundcube's administrator puts into its configuration, so that people sign in here and their
webmail gets tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...scopes import MAIL_SCOPE
from ..mailhosts import MailHosts

TYPE = b"text/plain; charset=utf-8"

_HEAD = """\
// For Roundcube's config.inc.php. In the place of SECRET belongs what this prints at mailauth:
//   mailauth client add --id roundcube --name Webmail --secret-in-body --insecure-without-pkce \\
//     --redirect https://WEBMAIL/index.php/login/oauth
"""


def writeConfiguration(hosts: MailHosts) -> bytes:
    """
    The lines.
    """
    return "\n".join([_HEAD, *_lines(hosts), ""]).encode("utf-8")


def _lines(hosts: MailHosts) -> Iterator[str]:
    for name in ("imap", "smtp"):
        server = hosts.preferred(name)
        if server is not None:
            scheme = "ssl" if server.implicitTLS else "tls"
            yield _set(f"{name}_host", _quote(f"{scheme}://{hosts.hostname}:{server.port}"))
    yield _set("smtp_user", "'%u'")
    yield _set("smtp_pass", "'%p'")
    yield _set("use_https", "true")
    yield ""
    yield _set("oauth_provider", "'generic'")
    yield _set("oauth_provider_name", _quote(hosts.hostname))
    yield _set("oauth_client_id", "'roundcube'")
    yield _set("oauth_client_secret", "'SECRET'")
    yield _set("oauth_auth_uri", _quote(hosts.address("authorize")))
    yield _set("oauth_token_uri", _quote(hosts.address("token")))
    yield _set("oauth_identity_uri", _quote(hosts.address("userinfo")))
    yield _set("oauth_identity_fields", "['email']")
    yield _set("oauth_scope", _quote(MAIL_SCOPE))
    yield _set("oauth_login_redirect", "true")


def _set(name: str, value: str) -> str:
    return f"$config['{name}'] = {value};"


def _quote(text: str) -> str:
    """
    A string of PHP, in which nothing means anything else.
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
