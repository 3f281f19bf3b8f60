"""
The modules that decide: C{make coverage} wants every branch of them.
"""

DECISIONS = (
    "mailauth/sasl/*",
    "mailauth/policy.py",
    "mailauth/scopes.py",
    "mailauth/checkers.py",
    "mailauth/coroutines.py",
    "mailauth/portal.py",
    "mailauth/validators/*",
    "mailauth/passwords.py",
    "mailauth/throttle.py",
    "mailauth/realm.py",
    "mailauth/oauth/*",
    "mailauth/caches/*",
    "mailauth/usernames.py",
)

if __name__ == "__main__":
    print(",".join(DECISIONS))
