"""
QR codes. Owns how they are drawn: black on white whatever the page's colors are, for a camera looks
at them; and with no style of their own, which our policy for pages would not let them have.
"""

from __future__ import annotations

import segno
from markupsafe import Markup


def drawCode(text: str) -> Markup:
    """
    A text as a QR code (ISO/IEC 18004), without a size: the style sheet says how large it is.
    """
    drawn = segno.make(text, error="m", micro=False)
    return Markup(  # noqa: S704  # a drawing
        drawn.svg_inline(omitsize=True, border=4, light="#fff", svgclass=None, lineclass=None)
    )
