"""
The acceptance list (C{checklist.toml}): which tests show which of its cases. Run as a program, it
writes that into C{docs/standards.md}.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
STANDARDS = ROOT / "docs" / "standards.md"

BEGIN = "<!-- Written by 'make standards' from tests/checklist.toml and the docstrings. -->\n"
END = "<!-- The end of what it writes. -->\n"

# In a docstring, which may break the line here.
_NAMED = re.compile(r"\bO\s+([0-9]+)\b")

_METHOD = ast.FunctionDef | ast.AsyncFunctionDef


def readSections() -> dict[str, dict[int, str]]:
    """
    The list: for each section the number of a case, and what it is.
    """
    document = tomllib.loads((ROOT / "tests" / "checklist.toml").read_text("utf-8"))
    return {
        section["title"]: {int(number): words for number, words in section["cases"].items()}
        for section in document["section"]
    }


def findTests(root: Path = ROOT) -> dict[int, list[str]]:
    """
    For each case that is named, the tests that name it, by what C{trial tests.} runs them; those
    of a suite that is shipped by their full name.
    """
    found: dict[int, list[str]] = {}
    for package, pattern in (("tests", "test_*.py"), ("mailauth/testing", "*.py")):
        for path in sorted((root / package).rglob(pattern)):
            module = ".".join(path.relative_to(root).with_suffix("").parts)
            for name, docstring in _readTests(path):
                for number in map(int, _NAMED.findall(docstring)):
                    found.setdefault(number, []).append(f"{module}.{name}".removeprefix("tests."))
    return found


def _readTests(path: Path) -> Iterator[tuple[str, str]]:
    """
    The methods of a module that are tests, each with its docstring.
    """
    for case in ast.parse(path.read_text("utf-8")).body:
        if isinstance(case, ast.ClassDef):
            for test in case.body:
                if isinstance(test, _METHOD) and test.name.startswith("test_"):
                    yield f"{case.name}.{test.name}", ast.get_docstring(test) or ""


def writeTables(text: str, tests: Mapping[int, list[str]]) -> str:
    """
    @param text: the document, with the two marks.
    @return: the document, with the tables between them.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "".join(
        f"\n### {title}\n\n| case | what | tests |\n|---|---|---|\n"
        + "".join(
            f"| {number} | {words} | {', '.join(f'`{test}`' for test in tests.get(number, ()))} |\n"
            for number, words in cases.items()
        )
        for title, cases in readSections().items()
    )
    return f"{before}{BEGIN}{tables}\n{END}{after}"


if __name__ == "__main__":
    STANDARDS.write_text(writeTables(STANDARDS.read_text("utf-8"), findTests()), "utf-8")
