"""
A real Chromium against C{mailauth demo}, with nobody at it: what a person sees, and what a browser
makes of what it is told.
"""
