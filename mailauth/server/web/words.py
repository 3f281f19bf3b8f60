"""
What the pages say: one table, in English. Another language is another table with the same keys.

A word in braces is filled in where a page says it, escaped; everything else is HTML as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

ENGLISH: Mapping[str, str] = {
    # Every page
    "page.title": "{title} · {host}",
    "page.home": "Start page of {host}",
    # The start page
    "front.title": "Mail on {host}",
    "front.lead": "This server keeps your mail, and signs you in to the programs that read it.",
    "front.setup": "Set up your mail program",
    "front.setup.text": "Thunderbird, iPhone and Mac, Android, Outlook and others.",
    "front.account": "Your account",
    "front.account.text": "What your mail program needs in order to sign in.",
    "front.device": "Connect a device",
    "front.device.text": "Enter the code that a program without a browser shows.",
    "front.signout": "Sign out of this browser",
    "front.passkey": "Add a passkey",
    "front.passkey.text": "Sign in with your fingerprint, your face or a security key.",
    # Setting up a mail program
    "setup.title": "Set up your mail program",
    "setup.lead": "Enter your mail address, and see what to do in your mail program.",
    "setup.address": "Mail address",
    "setup.button": "Continue",
    "setup.unknown": "There is no mail for this address here. Look for a mistake in it.",
    "setup.for": "For <bdi>{address}</bdi>.",
    "setup.another": "Another address",
    "setup.password": "Where a program asks for a password, it wants an"
    ' <a href="{account}">app password</a>, never that of your account.',
    "setup.thunderbird": "Thunderbird",
    "setup.thunderbird.text": "On a computer, with version 140 or later. You sign in with your"
    " browser, and Thunderbird keeps no password.",
    "setup.thunderbird.get": "Download the <a {link}>add-on</a> that lets Thunderbird sign in"
    " here.",
    "setup.thunderbird.install": "In Thunderbird, open <b>Settings</b>, then <b>Add-ons and"
    " Themes</b>. Click the gear, choose <b>Install Add-on From File</b>, and open what you"
    " downloaded.",
    "setup.thunderbird.add": "Add an account, and enter your name and <bdi>{address}</bdi>. The"
    " sign-in page of this server opens.",
    "setup.apple": "iPhone, iPad and Mac",
    "setup.apple.text": "Apple's Mail takes an app password.",
    "setup.apple.get": "On the device itself, open the <a {link}>profile</a>, and allow the"
    " download.",
    "setup.apple.install": "In <b>Settings</b>, open <b>Profile Downloaded</b> (on a Mac, open"
    " <b>Device Management</b>), and install it.",
    "setup.apple.password": "Enter your app password when you are asked.",
    "setup.android": "Android",
    "setup.android.text": "FairEmail from its makers' own site signs in with your browser: import"
    " this <a {link}>provider file</a> in its miscellaneous settings. Thunderbird for Android and"
    " K-9 Mail find the server by themselves, and take an app password.",
    "setup.outlook": "Outlook and others",
    "setup.outlook.text": "Enter <bdi>{address}</bdi> and an app password. Most programs find the"
    " rest; if yours does not, it is below.",
    "setup.command": "Programs that know no OAuth",
    "setup.command.text": "email-oauth2-proxy runs on your computer, signs in with your browser,"
    " and stands between your mail program and this server. Start it with this <a"
    " {link}>configuration</a>, and let your mail program use 127.0.0.1, port {imap} for"
    " IMAP and {smtp} for sending.",
    "setup.hand": "By hand",
    "setup.hand.text": "The server is <code>{host}</code>, and the user name is"
    " <bdi>{address}</bdi>.",
    "setup.hand.protocol": "Protocol",
    "setup.hand.port": "Port",
    "setup.hand.security": "Security",
    "setup.hand.imap": "IMAP",
    "setup.hand.pop": "POP3",
    "setup.hand.smtp": "Sending (SMTP)",
    "setup.hand.tls": "SSL/TLS",
    "setup.hand.starttls": "STARTTLS",
    # Our own sites
    "site.account": "Your account",
    "site.admin": "Administration",
    "site.signout": "Sign out",
    "site.notyours.title": "This is for administrators",
    "site.notyours.text": "Your account is not one of them. Whoever has the server's configuration"
    " can add it there, to <code>accounts</code> in <code>[admin]</code>.",
    # The account site
    "account.overview": "Devices",
    "account.security": "Sign-in",
    "account.activity": "Activity",
    "account.setup": "Set up a mail program",
    "account.overview.title": "Who can read your mail",
    "account.overview.lead": "Everything that can read or send mail in your name. What you do not"
    " know, end.",
    # The administration site
    "admin.overview": "Overview",
    "admin.accounts": "Accounts",
    "admin.applications": "Applications",
    "admin.connections": "Connections",
    "admin.issuers": "Issuers",
    "admin.keys": "Keys",
    "admin.audit": "Audit log",
    "admin.overview.title": "{host}",
    # Signing in
    "signin.title": "Sign in",
    "signin.program": "<bdi>{program}</bdi> asks you to sign in. After that, you return to"
    " {place}.",
    "signin.username": "Mail address",
    "signin.password": "Password",
    "signin.password.hint": "Not an app password.",
    "signin.button": "Sign in",
    "signin.passkey": "Sign in with a passkey",
    "signin.or": "or",
    "signin.cancel": "Cancel",
    "signin.issuer": "Continue with <bdi>{label}</bdi>",
    "signin.issuer.refused": "You were not signed in there. Try again, or sign in here.",
    "signin.issuer.nobody": "You signed in there, but there is no account here that belongs to you."
    " Ask your administrator.",
    "signin.subject": "Sign in as <bdi>{account}</bdi> to go on.",
    "signin.wrong": "The mail address or the password is wrong.",
    "signin.apppassword": "This looks like an app password, which is for mail programs alone. Enter"
    " the password of your account.",
    "signin.disabled": "This account is disabled. Ask your administrator.",
    "signin.passkey.wrong": "This passkey was not accepted. Try again, or use your password.",
    "signin.passkey.none": "No passkey was used. Try again, or use your password.",
    # The second factor
    "second.title": "One more step",
    "second.account": "To sign in as <bdi>{account}</bdi>, a code is needed, too.",
    "second.code": "Code from your authenticator app",
    "second.code.hint": "Six digits, which change every 30 seconds.",
    "second.recovery": "Recovery code",
    "second.recovery.hint": "Each recovery code works once.",
    "second.recovery.instead": "Use a recovery code instead",
    "second.button": "Continue",
    "second.wrong": "This code is wrong, or it was used before.",
    "second.expired": "That took too long. Please sign in again.",
    # Where an answer leads
    # Consent
    "consent.title": "Allow access?",
    "consent.asks": "This program would like to:",
    "consent.account": "Your account",
    "consent.another": "Use another account",
    "consent.verified": "Verified by your administrator",
    "consent.unverified": "Not verified",
    "consent.unverified.text": "This program chose its name itself. Go on only if you have just"
    " started it.",
    "consent.leads": "You return to",
    "consent.ends": "Access ends",
    "consent.allow": "Allow",
    "consent.deny": "Cancel",
    "program.nameless": "A program without a name",
    # What a program may do, in plain words
    "scope.mail": "read, organize and delete your mail, and send mail as you",
    "scope.mail.readonly": "read your mail",
    "scope.imap": "read, organize and delete your mail",
    "scope.smtp": "send mail as you",
    "scope.pop3": "fetch and delete the mail in your inbox",
    "scope.contacts": "see and change your contacts",
    "scope.contacts.readonly": "see your contacts",
    "scope.calendars": "see and change your calendars",
    "scope.calendars.readonly": "see your calendars",
    "scope.openid": "know who you are",
    "scope.email": "see your mail address",
    "scope.profile": "see your name",
    "scope.offline_access": "do this while you are away",
    # Where an answer goes
    "place.here": "a program on this device",
    "place.program": "the program <code>{scheme}</code> on this device",
    "place.host": "<code>{host}</code>",
    # For how long
    "ends.never": "when you take it away",
    "ends.date": "on {date} at the latest",
    "ends.minutes": "after {minutes} minutes",
    # A device without a browser
    "device.title": "Connect a device",
    "device.lead": "Enter the code that your device shows.",
    "device.code": "Code",
    "device.code.hint": "Eight letters, such as WDJB-MJHT.",
    "device.button": "Continue",
    "device.wrong": "No device waits with this code. Codes work for ten minutes, and once.",
    "device.limited": "Too many codes. Wait a minute, then try again.",
    "device.confirm.title": "Is this your device?",
    "device.confirm.warning": "Allow this only if you started it yourself, just now, on a device"
    " that you can see. If somebody sent you the code or a link, cancel.",
    "device.confirm.code": "Code",
    "device.confirm.address": "Asked from",
    "device.confirm.here": "{address}, as you are",
    "device.confirm.elsewhere": "{address}; you are at {peer}",
    "device.confirm.unknown": "unknown",
    "device.confirm.when": "Asked at",
    "device.confirm.now": "{time} UTC, just now",
    "device.confirm.ago": "{time} UTC, {minutes} min ago",
    "device.allowed.title": "Your device is connected",
    "device.allowed.text": "Go back to it. You can close this page.",
    "device.denied.title": "Nothing was allowed",
    "device.denied.text": "The device is told so. You can close this page.",
    "device.late.title": "This came too late",
    "device.late.text": "The code has expired, or was decided about before. Let your device show a"
    " new one.",
    # Passkeys
    "passkey.title": "Add a passkey",
    "passkey.lead": "With a passkey you sign in with your fingerprint, your face, the lock of your"
    " device or a security key, and type nothing.",
    "passkey.account": "It will be for <bdi>{account}</bdi>.",
    "passkey.name": "Name of the passkey",
    "passkey.name.hint": "For you, so that you recognize it later.",
    "passkey.name.default": "My device",
    "passkey.button": "Add a passkey",
    "passkey.script": "Passkeys need JavaScript, and a browser that knows them. Everything else"
    " here works without.",
    "passkey.none": "No passkey was made. Try again when you are ready.",
    "passkey.wrong": "This passkey could not be added.",
    "passkey.exists": "This device has a passkey for your account already.",
    "passkey.full.title": "You have enough passkeys",
    "passkey.full.text": "There is room for twenty. Ask your administrator to remove one that you"
    " use no more.",
    "passkey.done.title": "Your passkey is added",
    "passkey.done.text": "Next time, sign in with <strong><bdi>{name}</bdi></strong>: there will"
    " be nothing to type.",
    # Signing out
    "signout.title": "Sign out?",
    "signout.text": "<bdi>{account}</bdi> is signed in with this browser.",
    "signout.program": "<bdi>{program}</bdi> asks you to sign out.",
    "signout.button": "Sign out",
    "signout.stay": "Cancel",
    "signout.done.title": "You are signed out",
    "signout.done.text": "Your mail programs stay connected.",
    "signout.stayed.title": "You are still signed in",
    "signout.stayed.text": "Nothing has changed. You can close this page.",
    # What went wrong
    "error.title": "This does not work",
    "error.text": "The program that sent you here made a mistake in its request. Go back to it and"
    " try again; if that does not help, tell its makers what is written here.",
    "error.developer": "For the makers of the program",
    "expired.title": "This page is too old",
    "expired.text": "It was open for too long, or was used before. Go back to your program and"
    " start again.",
    "cookies.title": "A cookie is missing",
    "cookies.text": "This server knows your browser by a cookie while you sign in, and the browser"
    " did not send it. Allow cookies for {host}, then go back and start again.",
    "forged.title": "This form was not sent from here",
    "forged.text": "For your protection nothing was done. Go back, load the page again, and try"
    " once more.",
    "missing.title": "There is nothing here",
    "missing.text": "The address may have a mistake in it.",
    "limited.title": "Too many attempts",
    "limited.text": "Wait a few minutes, then try again.",
    "unavailable.title": "Please try again soon",
    "unavailable.text": "The server cannot answer at the moment. It is not your fault, and nothing"
    " was lost.",
    "failed.title": "Something went wrong here",
    "failed.text": "It is not your fault. The server has noted it; try again, and tell your"
    " administrator if it happens again.",
    "message.home": "To the start page",
}

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH}


def say(language: str, key: str, **values: Any) -> Markup:
    """
    A sentence in a language, with what it is about filled in.
    """
    return Markup(LANGUAGES[language][key]).format(**values)  # noqa: S704  # ours, not a client's
