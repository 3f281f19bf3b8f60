"""
The administration site.
"""
