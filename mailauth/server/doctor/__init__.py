"""
What mail programs will find when they look for a server, seen from outside.
"""
