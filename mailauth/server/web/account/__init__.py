"""
The account site: where somebody sees what can read his mail, and ends it.
"""
