"""
Other people's mail clients against our servers, over real sockets and real TLS, unattended.

Most run against C{mailauth demo} as a user starts it. Where a client's program is missing, its
tests are skipped and name it; C{.ci/run} installs all of them.
"""

HOST = "127.0.0.1"
ALICE, BOB = "alice@example.test", "bob@example.test"
