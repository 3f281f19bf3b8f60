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
    "setup.thunderbird.install.picture": "The page Manage Your Extensions: the menu of the gear is"
    " open, at Install Add-on From File.",
    "setup.thunderbird.add": "Add an account, and enter your name and <bdi>{address}</bdi>. The"
    " sign-in page of this server opens.",
    "setup.thunderbird.add.picture": "The page Add your email address: a name and an address are"
    " entered, and there is a button Continue.",
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
    "setup.administrators": "For administrators",
    "setup.administrators.text": "A <a {policies}>policy</a> installs the add-on in all of an"
    " organisation's Thunderbirds. With some lines of <a {roundcube}>configuration</a> people sign"
    " in to Roundcube here.",
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
    "account.passwords": "App passwords",
    "account.passwords.lead": "Each is for one program or device that asks for a password.",
    "account.passwords.none": "You have none. A program that asks for a password needs one; what"
    " signs in with your browser does not.",
    "account.passwords.new": "New app password",
    "account.applications": "Connected applications",
    "account.applications.lead": "What you allowed when you signed in with your browser.",
    "account.applications.none": "There are none. A program that signs in with your browser is"
    ' listed here afterwards: <a href="{setup}">set one up</a>.',
    "account.connections": "Open connections",
    "account.connections.lead": "Programs that are connected at this moment. One that is ended"
    " comes back, unless you end what it signed in with.",
    "account.connections.none": "No program is connected at this moment. Many connect for a few"
    " seconds only, when they look for new mail.",
    "account.browsers": "Browsers signed in",
    "account.browsers.lead": "They can open your account, and sign programs in.",
    "account.browsers.none": "No browser is signed in.",
    "account.here": "This browser",
    "account.end": "End",
    "account.end.named": "End {name}",
    "account.lost": "Lost a device?",
    "account.lost.text": "End everything at once, and set up again what you still have.",
    "account.lost.button": "End everything …",
    # What is known of something that can read mail
    "access.password": "App password",
    "access.application": "Application",
    "access.connection": "Program",
    "access.browser": "Browser",
    "access.used": "Last used",
    "access.made": "Made",
    "access.expires": "Expires",
    "access.allowed": "Allowed",
    "access.protocol": "Protocol",
    "access.address": "From",
    "access.since": "Since",
    "access.signedin": "Signed in",
    "access.networks": ", from {networks} alone",
    "access.more": '<span class="more">{more}</span>',
    "access.from": "from {address}",
    "access.program": "<bdi>{program}</bdi>",
    "access.never": "never",
    "access.unknown": "unknown",
    "access.expired": "{day}: it works no more",
    "browser.known": "{browser} on {system}",
    "browser.unknown": "A browser",
    # What was just ended
    "done.password": "The app password is ended. Nobody can sign in with it any more.",
    "done.application": "The application is ended. It has to ask you again.",
    "done.connection": "The connection is ended.",
    "done.browser": "The browser is signed out.",
    "done.everything": "Everything is ended. Only this browser is still signed in.",
    "done.gone": "That had ended already.",
    # Ending everything
    "everything.title": "End everything?",
    "everything.lead": "For when a device is lost, or somebody else may have been in.",
    "everything.what": "All app passwords, connected applications, open connections and other"
    " browsers end. Your mail stays as it is, and this browser stays signed in.",
    "everything.then": "Every program has to be set up again, with a new app password or by signing"
    " in.",
    "everything.factors": "If the lost device has a passkey or makes your codes, or if somebody"
    ' may know your password, go on to <a href="{security}">Sign-in</a> afterwards.',
    "everything.button": "End everything",
    "everything.cancel": "Cancel",
    # Making an app password
    "password.title": "New app password",
    "password.lead": "For one program or device that asks for a password. Make another for the next"
    " one: then each can be ended alone.",
    "password.apple": 'For Mail on an iPhone, iPad or Mac, <a href="{apple}">a profile</a> does'
    " all of it.",
    "password.name": "What is it for?",
    "password.name.hint": "Such as “phone” or “printer”: by this you know it again.",
    "password.name.suggestions": "phone|tablet|laptop|desktop|printer|scanner",
    "password.may": "What may it do?",
    "password.may.all": "Read and send mail",
    "password.may.read": "Only read",
    "password.may.read.hint": "It changes, deletes and sends nothing.",
    "password.may.send": "Only send",
    "password.may.send.hint": "For a printer, a scanner or a web site.",
    "password.may.choose": "Choose protocols",
    "password.choose": "Protocols",
    "password.choose.none": "Choose at least one protocol.",
    "password.expires": "Until when?",
    "password.expires.never": "Until you end it",
    "password.expires.days": "{days} days",
    "password.expires.year": "One year",
    "password.expires.date": "A date",
    "password.date": "Last day",
    "password.date.wrong": "Enter the last day like this: 2027-01-31.",
    "password.networks": "Limit it to networks",
    "password.networks.label": "Networks",
    "password.networks.hint": "Addresses or networks such as 192.0.2.0/24, with spaces between"
    " them. Empty means from anywhere. You are at {peer} now.",
    "password.button": "Make app password",
    "password.made.title": "Your new app password",
    "password.made.lead": "For <bdi>{name}</bdi>. Copy it now: it is shown only here, and only this"
    " once.",
    "password.made.label": "App password",
    "password.made.copy": "Copy",
    "password.made.copied": "Copied",
    "password.made.code": "QR code of the app password",
    "password.made.scan": "Or scan it with the device, and copy the text there.",
    "password.made.where": "Enter it where the mail program asks for your password. Capitals,"
    " spaces and dashes do not matter.",
    "password.made.settings": "What else the program may ask for",
    "password.made.server": "Server",
    "password.made.username": "User name",
    "password.made.may": "It may",
    "password.made.done": "Done",
    "password.sent": "This form was sent before. What came of it was shown then, and is shown no"
    ' more: if you did not copy it, end it <a href="{list}">on your list</a>, and make'
    " another here.",
    # A profile for Apple's devices
    "apple.title": "Set up an iPhone, iPad or Mac",
    "apple.lead": "Open this page on the device itself. You get a profile that sets up its Mail"
    " program, with an app password of its own inside.",
    "apple.get": "Get the profile, and allow the download.",
    "apple.install": "Open <b>Settings</b>, then <b>Profile Downloaded</b> (on a Mac:"
    " <b>General</b>, then <b>Device Management</b>), and install it. Mail is there.",
    "apple.keep": "The profile opens your mailbox: send it to nobody, and delete the file when it"
    " is installed. What it signs in with is on your list of app passwords, where you can end it.",
    "apple.button": "Get the profile",
    "apple.sent": "This page has made a profile before. If you need another, get it now.",
    "apple.name": "iPhone or Mac, {day}",
    # Activity
    "activity.title": "Activity",
    "activity.lead": "What happened to your account. What you do not know may have been somebody"
    " else.",
    "activity.none": "Nothing has happened yet.",
    "activity.list": "Events, the newest first",
    "activity.what": "What",
    "activity.by": "By",
    "activity.when": "When",
    "activity.pages": "More events",
    "activity.administrator": "an administrator",
    "activity.address": "from {address}",
    "activity.unknown": "from an unknown address",
    "activity.older": "Older",
    "activity.newest": "Newest",
    # Times
    "time.months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "time.date": "{day} {month} {year}",
    "time.day": '<time datetime="{machine}">{date}</time>',
    "time.exact": '<time datetime="{machine}">{date}, {clock} UTC</time>',
    "time.now": '<time datetime="{machine}">just now</time>',
    "time.minutes": '<time datetime="{machine}">{count} min ago</time>',
    "time.hours": '<time datetime="{machine}">{count} h ago</time>',
    # The administration site
    "admin.overview": "Overview",
    "admin.accounts": "Accounts",
    "admin.applications": "Applications",
    "admin.connections": "Connections",
    "admin.issuers": "Issuers",
    "admin.keys": "Keys",
    "admin.audit": "Audit log",
    "admin.overview.title": "{host}",
    # What happened
    "event.account.created": "Account created",
    "event.account.removed": "Account removed",
    "event.account.disabled": "Account disabled",
    "event.account.enabled": "Account enabled",
    "event.password.set": "Password changed",
    "event.password.cleared": "Password removed",
    "event.password.rule": "Password rule changed",
    "event.alias.added": "Alias added",
    "event.alias.removed": "Alias removed",
    "event.quota.set": "Limit on app passwords changed",
    "event.apppassword.made": "App password made",
    "event.apppassword.imported": "App password imported",
    "event.apppassword.revoked": "App password revoked",
    "event.application.allowed": "Application allowed",
    "event.application.ended": "Application ended",
    "event.browser.ended": "Browser signed out",
    "event.connection.ended": "Connection ended",
    "event.all.ended": "Everything ended",
    "event.totp.set": "Authenticator added",
    "event.totp.removed": "Authenticator removed",
    "event.recovery.made": "Recovery codes made",
    "event.passkey.added": "Passkey added",
    "event.passkey.renamed": "Passkey renamed",
    "event.passkey.removed": "Passkey removed",
    "event.client.added": "Application added",
    "event.client.removed": "Application removed",
    "event.client.denied": "Application denied",
    "event.key.rotated": "Signing key rotated",
    "event.key.revoked": "Signing key revoked",
    "event.identity.linked": "Identity linked",
    "event.identity.unlinked": "Identity unlinked",
    "event.token.issued": "Token issued",
    "event.token.revoked": "Token revoked",
    "event.signedin": "Signed in",
    "event.signin.refused": "Sign-in refused",
    "event.notice.failed": "Notice not delivered",
    # What somebody signs in with
    "security.title": "How you sign in",
    "security.lead": "With any of these, your account and your mail can be opened. What is changed"
    " here is told to you by mail.",
    "security.only": "You sign in with one passkey and nothing else. If you lose it, only an"
    " administrator can let you in again: add another passkey, or set a password.",
    "security.password": "Password",
    "security.password.changed": "Changed on {day}.",
    "security.password.exists": "Your account has a password.",
    "security.password.none": "Your account has no password.",
    "security.passkeys": "Passkeys",
    "security.passkeys.none": "You have none yet.",
    "security.passkey": "Passkey",
    "security.passkey.added": "Added",
    "security.passkey.used": "Last used",
    "security.passkey.never": "never",
    "security.passkey.change": "Change",
    "security.passkey.rename": "Rename",
    "security.passkey.rename.named": "Rename {name}",
    "security.passkey.remove": "Remove",
    "security.passkey.remove.named": "Remove {name}",
    "security.totp": "Authenticator app",
    "security.totp.on": "On since {day}. Besides your password, a code from the app is needed.",
    "security.totp.off": "Off. With it, whoever finds out your password still needs a code from your"
    " phone.",
    "security.totp.set": "Set up an authenticator app",
    "security.totp.another": "Set up another",
    "security.totp.remove": "Turn off",
    "security.recovery": "Recovery codes",
    "security.recovery.left": "You have {count} left. Each signs you in once when you do not have"
    " your authenticator app.",
    "security.issuers": "Other places where you sign in",
    "security.issuers.lead": "They say who you are, and your account here believes them.",
    "security.issuer": "Name",
    "security.issuer.linked": "Linked",
    "security.issuer.for": "For",
    "security.issuer.signin": "signing in here, and mail programs",
    "security.issuer.mail": "mail programs",
    "security.done.password": "Your password is changed, and everything that had signed in with the"
    " old one has ended. This browser is still signed in.",
    "security.done.totp": "The authenticator app is turned off, and its recovery codes are gone.",
    "security.done.passkey": "Your passkey is added. Next time, sign in with it: there will be"
    " nothing to type.",
    "security.done.renamed": "The passkey is renamed.",
    "security.done.removed": "The passkey is removed. Delete it on its device, too.",
    "security.done.nothing": "That had been done before, or is gone. Nothing was changed.",
    "ways.passkey": "the passkey <bdi>{name}</bdi>",
    "ways.password": "your password",
    "ways.password.code": "your password, with a code from your authenticator app",
    "ways.issuer": "<bdi>{label}</bdi>",
    # Changing the password
    "change.title": "Change password",
    "change.first": "Set a password",
    "change.ends": "Other browsers, connected applications and open connections end: they have to"
    " sign in again. This browser stays signed in.",
    "change.stays": "App passwords stay good. If somebody else may know one, <a"
    ' href="{passwords}">end it</a>, too.',
    "change.current": "Current password",
    "change.new": "New password",
    "change.new.hint": "At least {shortest} characters. A few words in a row are good, and so is"
    " what a password manager makes.",
    "change.repeated": "New password, once more",
    "change.cancel": "Cancel",
    "change.wrong": "The current password is wrong.",
    "change.short": "The new password is too short.",
    "change.common": "The new password is one of the first that somebody would try. Choose another"
    " one.",
    "change.unusable": "The new password is empty or too long. Choose one of at most 72 letters.",
    "change.different": "The two new passwords are not the same.",
    # An authenticator app
    "totp.title": "Set up an authenticator app",
    "totp.lead": "It makes codes on your phone. From then on, one is needed besides your password"
    " when you sign in.",
    "totp.passwordless": "Your account has no password. A code is asked for with a password alone.",
    "totp.replaces": "The app that you have set up before will make no good codes any more, and its"
    " recovery codes will be gone.",
    "totp.scan": "Open an authenticator app on your phone, and scan this picture with it.",
    "totp.type": "If you cannot scan it, enter this key there:",
    "totp.drawn": "QR code for the authenticator app",
    "totp.copy": "Copy the key",
    "totp.copied": "Copied",
    "totp.code": "Code that the app shows",
    "totp.button": "Turn it on",
    "totp.wrong": "This code is wrong. Try the next one. If that is wrong, too, look whether the"
    " clock of your phone is right.",
    "totp.done": "Your authenticator app is turned on.",
    # Recovery codes
    "recovery.title": "New recovery codes",
    "recovery.replaces": "The new ones take their place: those that you have now sign nobody in any"
    " more.",
    "recovery.button": "Make new codes",
    "recovery.made.title": "Your recovery codes",
    "recovery.made.lead": "Each signs you in once when you do not have your authenticator app. Keep"
    " them where you find them without your phone.",
    "recovery.made.for": "For <bdi>{account}</bdi> at {host}:",
    "recovery.made.once": "They are shown only here, and only this once.",
    "recovery.made.copy": "Copy",
    "recovery.made.save": "Save as a file",
    "recovery.made.file": "recovery-codes-{host}.txt",
    "recovery.made.print": "Print",
    "recovery.made.done": "I have kept them",
    # Removing what somebody signs in with
    "remove.left": "After that, you sign in with:",
    "remove.nothing": "Nothing is left after that: nobody can sign in to your account, not even you,"
    " until an administrator helps you.",
    "remove.totp.title": "Turn off the authenticator app?",
    "remove.totp.lead": "No code is needed with your password any more, and your recovery codes are"
    " gone.",
    "remove.totp.button": "Turn off",
    "remove.passkey.title": "Remove this passkey?",
    "remove.passkey.lead": "Nobody can sign in with <strong><bdi>{name}</bdi></strong> any more.",
    "remove.passkey.button": "Remove",
    "rename.title": "Rename a passkey",
    "rename.button": "Save",
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
    "passkey.name": "Name of the passkey",
    "passkey.name.hint": "For you, so that you recognize it later.",
    "passkey.name.default": "My device",
    "passkey.script": "Passkeys need JavaScript, and a browser that knows them. Everything else"
    " here works without.",
    "passkey.none": "No passkey was made. Try again when you are ready.",
    "passkey.wrong": "This passkey could not be added.",
    "passkey.exists": "This device has a passkey for your account already.",
    "passkey.full.title": "You have enough passkeys",
    "passkey.full.text": "There is room for twenty. Remove one that you use no more first.",
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
