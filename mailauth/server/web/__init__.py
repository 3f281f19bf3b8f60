"""
What is served over HTTPS: one resource for each address, all of them thin.
"""
