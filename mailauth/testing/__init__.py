"""
What your own tests need: an issuer, tokens, stores and mail clients that live in memory.
"""
