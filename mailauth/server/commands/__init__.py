"""
The verbs of the C{mailauth} command, one module for each noun.
"""
