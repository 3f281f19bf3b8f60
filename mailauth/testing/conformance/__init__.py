"""
The suites that L{mailauth.testing.stores} gives out.
"""
