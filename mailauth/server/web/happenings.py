"""
What happened, as the pages of both sites say it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...stores.events import Kind

SAID: Mapping[Kind, str] = {
    Kind.ACCOUNT_CREATED: "event.account.created",
    Kind.ACCOUNT_REMOVED: "event.account.removed",
    Kind.ACCOUNT_DISABLED: "event.account.disabled",
    Kind.ACCOUNT_ENABLED: "event.account.enabled",
    Kind.PASSWORD_SET: "event.password.set",
    Kind.PASSWORD_CLEARED: "event.password.cleared",
    Kind.PASSWORD_RULE_SET: "event.password.rule",
    Kind.ALIAS_ADDED: "event.alias.added",
    Kind.ALIAS_REMOVED: "event.alias.removed",
    Kind.QUOTA_SET: "event.quota.set",
    Kind.APP_PASSWORD_MADE: "event.apppassword.made",
    Kind.APP_PASSWORD_IMPORTED: "event.apppassword.imported",
    Kind.APP_PASSWORD_REVOKED: "event.apppassword.revoked",
    Kind.APPLICATION_ALLOWED: "event.application.allowed",
    Kind.APPLICATION_ENDED: "event.application.ended",
    Kind.BROWSER_ENDED: "event.browser.ended",
    Kind.CONNECTION_ENDED: "event.connection.ended",
    Kind.ALL_ENDED: "event.all.ended",
    Kind.TOTP_SET: "event.totp.set",
    Kind.TOTP_REMOVED: "event.totp.removed",
    Kind.RECOVERY_CODES_MADE: "event.recovery.made",
    Kind.PASSKEY_ADDED: "event.passkey.added",
    Kind.PASSKEY_RENAMED: "event.passkey.renamed",
    Kind.PASSKEY_REMOVED: "event.passkey.removed",
    Kind.CLIENT_ADDED: "event.client.added",
    Kind.CLIENT_REMOVED: "event.client.removed",
    Kind.CLIENT_DENIED: "event.client.denied",
    Kind.KEY_ROTATED: "event.key.rotated",
    Kind.KEY_REVOKED: "event.key.revoked",
    Kind.IDENTITY_LINKED: "event.identity.linked",
    Kind.IDENTITY_UNLINKED: "event.identity.unlinked",
    Kind.TOKEN_ISSUED: "event.token.issued",
    Kind.TOKEN_REVOKED: "event.token.revoked",
    Kind.SIGNED_IN: "event.signedin",
    Kind.SIGN_IN_REFUSED: "event.signin.refused",
    Kind.NOTICE_FAILED: "event.notice.failed",
}
"""
The key of the sentence for each kind.
"""
