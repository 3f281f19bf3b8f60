"""
What sets up a mail program, for each kind of program a module. No HTTP in them.
"""
