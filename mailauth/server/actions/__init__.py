"""
What an administrator, or somebody with his own account, can do: one module for each noun. The
C{mailauth} command and the two sites do it through these, so that each action revokes what it has
to, wherever it comes from, and leaves an event.

Whether somebody may do it is decided before: nothing here asks.
"""
