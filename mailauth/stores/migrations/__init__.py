"""
What Alembic reads: L{mailauth.stores.migrating} says how it runs.
"""
