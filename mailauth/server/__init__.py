"""
The whole server. Nothing outside this package imports it: delete it, and the library still
works.
"""
