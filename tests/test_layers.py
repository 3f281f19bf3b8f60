"""
The two laws of the architecture, checked on every import in the tree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import mailauth

PACKAGE = Path(mailauth.__file__).parent

# The table of docs/architecture.md: a module imports from its own layer and those before it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("interfaces", "errors", "credentials", "usernames", "networks", "scopes"),
    ("sasl", "oauth"),
    ("tokenclient",),
    ("passwords", "throttle", "caches", "stores"),
    ("coroutines", "validators"),
    ("policy", "checkers", "realm", "portal", "mail"),
    ("testing",),
    ("server",),
)
WIRE_SIDE = ("sasl", "mail")
TRUTH_SIDE = ("stores", "caches", "validators", "policy", "checkers", "realm")
EVERYWHERE = ("__init__", "__main__")

REACTOR_IMPORTERS = {"server/tap.py", "server/cli.py"}


def layerOf(part: str) -> int:
    """
    The number of the layer that a module or folder directly below C{mailauth} is in.
    """
    for number, parts in enumerate(LAYERS):
        if part in parts:
            return number
    raise AssertionError(f"mailauth/{part} is in no layer: docs/architecture.md has to say which")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """
    Every module of the package with its syntax tree.
    """
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text("utf-8"))


def partOf(module: Path) -> str:
    """
    What stands directly below C{mailauth}.
    """
    return module.parts[0].removesuffix(".py")


def runtimeImports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """
    The imports that are executed, so not those for the type checker alone.
    """
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If)
        and isinstance(branch.test, ast.Name)
        and branch.test.id == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in skipped:
            yield node


def ownImports(module: Path, tree: ast.Module) -> Iterator[str]:
    """
    The parts of mailauth that a module imports when it runs.
    """
    for node in runtimeImports(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif node.level:
            package = ("mailauth", *module.parts[:-1])
            base = ".".join(package[: len(package) - node.level + 1])
            stem = f"{base}.{node.module}" if node.module else base
            names = [stem] if node.module else [f"{base}.{alias.name}" for alias in node.names]
        else:
            names = [node.module or ""]
        for name in names:
            if name.startswith("mailauth."):
                yield name.split(".")[1]


class LayersTests(SynchronousTestCase):
    """
    The file list is the architecture.
    """

    def test_everyModuleHasALayer(self) -> None:
        """
        No module stands outside the table.
        """
        for module, _ in modules():
            if partOf(module) not in EVERYWHERE:
                layerOf(partOf(module))

    def test_nothingImportsTheServer(self) -> None:
        """
        Whoever deletes C{mailauth/server} keeps a library that works.
        """
        for module, tree in modules():
            if partOf(module) not in ("server", "__main__"):
                self.assertNotIn("server", set(ownImports(module, tree)), str(module))

    def test_importsPointDownTheTable(self) -> None:
        """
        A module imports nothing of a layer below its own.
        """
        for module, tree in modules():
            part = partOf(module)
            if part in EVERYWHERE:
                continue
            for imported in ownImports(module, tree):
                self.assertLessEqual(layerOf(imported), layerOf(part), f"{module}: {imported}")

    def test_theSidesMeetAtThePortal(self) -> None:
        """
        The wire side and the truth side do not import each other.
        """
        for module, tree in modules():
            imported = set(ownImports(module, tree))
            if partOf(module) in WIRE_SIDE:
                self.assertFalse(imported & set(TRUTH_SIDE), str(module))
            if partOf(module) in TRUTH_SIDE:
                self.assertFalse(imported & set(WIRE_SIDE), str(module))

    def test_theTokenClientStandsAlone(self) -> None:
        """
        What runs at each login of somebody's mail programs takes of mailauth only words that need
        nothing else, and nobody needs it.
        """
        imported = set()
        for module, tree in modules():
            own = set(ownImports(module, tree))
            if partOf(module) == "tokenclient":
                imported |= own - {"tokenclient"}
            else:
                self.assertNotIn("tokenclient", own, str(module))
        self.assertEqual({"oauth", "scopes"}, imported)

    def test_oneImportOfJOSE(self) -> None:
        """
        One module speaks JOSE.
        """
        importers = {
            str(module)
            for module, tree in modules()
            for node in runtimeImports(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
                if node.level
                else [node.module or ""]
            )
            if name.split(".")[0] == "jwt"
        }
        self.assertEqual({"oauth/jwt.py"}, importers)

    def test_fewImportTheReactor(self) -> None:
        """
        The reactor is chosen by whoever starts the program: only what starts it names it.
        """
        importers = {
            module.as_posix()
            for module, tree in modules()
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and node.module == "twisted.internet"
            and any(alias.name == "reactor" for alias in node.names)
        }
        self.assertEqual(REACTOR_IMPORTERS, importers)

    def test_packagesImportNothing(self) -> None:
        """
        To import a package is not to import its modules, some of which install the reactor.
        """
        for module, tree in modules():
            if module.name == "__init__.py":
                self.assertEqual([], list(ownImports(module, tree)), str(module))
