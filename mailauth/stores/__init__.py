"""
What is kept: accounts, app passwords, signing keys and revocations.
"""
