"""
Drop-ins for the protocols of L{twisted.mail}. They know SASL and cred, and nothing of the truth
behind the portal.
"""
