from twisted.application.service import ServiceMaker

mailauth = ServiceMaker(
    "mailauth",
    "mailauth.server.tap",
    "IMAP, submission and POP3 that take OAuth tokens and app passwords.",
    "mailauth",
)
