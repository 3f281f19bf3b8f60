"""
C{mailauth-token}: somebody signs in once, and mail programs that can run a command get a fresh
access token from it ever after.

It is a program of its own, for the computer of whoever reads mail there. Mail programs wait for it
at every login, so it starts fast: it needs the standard library and attrs, and of mailauth only two
modules of words.
"""
