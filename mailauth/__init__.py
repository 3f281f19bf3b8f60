"""
mailauth: who is this, and may they use this mail service with what they hold?

The package in reading order; every import points up this list, never down:

  - words: L{mailauth.interfaces}, L{mailauth.errors}, L{mailauth.credentials},
    L{mailauth.usernames}, L{mailauth.scopes}
  - protocols without I/O: L{mailauth.sasl}, L{mailauth.oauth}
  - state: L{mailauth.passwords}, L{mailauth.throttle}, L{mailauth.caches},
    L{mailauth.stores}
  - what a token means: L{mailauth.validators}
  - what plugs into cred: L{mailauth.policy}, L{mailauth.checkers},
    L{mailauth.realm}
  - drop-ins for twisted.mail: L{mailauth.mail}
  - for your own tests: L{mailauth.testing}
  - the server, which nothing above needs: C{mailauth.server}
"""
