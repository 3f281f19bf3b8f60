"""
SASL (RFC 4422) without I/O: mechanisms are pure functions of a transcript, and one loop drives
them all.
"""
