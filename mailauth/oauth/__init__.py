"""
OAuth without I/O: tokens, and the one place that speaks JOSE.
"""
