"""
What your own tests need: an issuer, stores and mail clients that live in memory.
"""
