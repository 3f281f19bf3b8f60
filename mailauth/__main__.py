"""
C{python -m mailauth} is the C{mailauth} command.
"""

from .server.cli import main

if __name__ == "__main__":
    main(prog_name="mailauth")
