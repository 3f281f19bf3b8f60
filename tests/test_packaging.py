"""
Tests of what is built, installed and taken away again. Nothing is fetched: what mailauth needs
comes from the environment that the tests run in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Iterable
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

from .server.deployment import deploy

ROOT = Path(__file__).parents[1]
PACKAGES = ("mailauth", "twisted")
SITE = Path(sysconfig.get_path("purelib"))

_NOT_KEPT = shutil.ignore_patterns("__pycache__", "dropin.cache", ".*")

_kept: list[TemporaryDirectory[str]] = []


def run(*command: str | Path, directory: Path | None = None) -> str:
    """
    Run a program.

    @return: what it says.
    """
    finished = subprocess.run(
        command,
        cwd=directory or ROOT.anchor,
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def copySources(directory: Path) -> Path:
    """
    Copy what a wheel is built from, so that building leaves nothing in the checkout.
    """
    for name in PACKAGES:
        shutil.copytree(ROOT / name, directory / name, ignore=_NOT_KEPT)
    shutil.copytree(ROOT / "etc", directory / "etc", ignore=_NOT_KEPT)
    for path in (*ROOT.glob("setup.*"), ROOT / "README.md", ROOT / "MANIFEST.in"):
        shutil.copy(path, directory)
    return directory


@cache
def build() -> tuple[Path, Path]:
    """
    Build the sdist, and from it the wheel, once.
    """
    directory = TemporaryDirectory()
    _kept.append(directory)
    sources = copySources(Path(directory.name))
    run(sys.executable, "-m", "build", "--no-isolation", ".", directory=sources)
    [wheel] = sources.glob("dist/*.whl")
    [sdist] = sources.glob("dist/*.tar.gz")
    return wheel, sdist


def filesOf(directory: Path, names: Iterable[str]) -> set[str]:
    """
    The files that belong to a release.
    """
    return {
        str(path.relative_to(directory))
        for name in names
        for path in (directory / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "dropin.cache"
    }


class BuildTests(SynchronousTestCase):
    """
    What a release holds.
    """

    def test_wheel(self) -> None:
        """
        The wheel holds every module and every file of the tree, and nothing else: a package that
        is missing in C{setup.cfg} would be missed only by whoever installed it.
        """
        wheel, _ = build()
        with ZipFile(wheel) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}

        self.assertEqual(names, filesOf(ROOT, PACKAGES))

    def test_sdist(self) -> None:
        """
        The sdist holds besides the sample configuration and what it is built with.
        """
        _, sdist = build()
        with tarfile.open(sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}

        needed = {"setup.cfg", "setup.py", "README.md", "etc/mailauth.toml"}
        self.assertEqual((needed | filesOf(ROOT, PACKAGES)) - names, set())

    def test_namespace(self) -> None:
        """
        C{twisted} and C{twisted.plugins} have no C{__init__.py} here: the first would hide
        Twisted, and the second loses the plugin.
        """
        self.assertEqual(filesOf(ROOT, ["twisted"]), {"twisted/plugins/mailauth_plugin.py"})


class Environment:
    """
    A virtual environment with a Twisted of its own, which the tests may harm. Everything else that
    mailauth needs is that of the tests, but not their mailauth.
    """

    def __init__(self, directory: Path) -> None:
        venv.create(directory, symlinks=True)
        self.bin = directory / "bin"
        [self.site] = directory.glob("lib/python*/site-packages")
        (self.site / "tests.pth").write_text(f"{SITE}\n")
        twisted = distribution("Twisted")
        self.twisted = [
            str(file)
            for file in twisted.files or ()
            if not str(file).startswith("..") and "/test/" not in str(file)
        ]
        for name in self.twisted:
            source = Path(str(twisted.locate_file(name)))
            if source.exists() and "__pycache__" not in source.parts:
                target = self.site / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        self.before = self.twistedFiles()

    def twistedFiles(self) -> dict[str, bytes]:
        """
        Twisted's own files.
        """
        return {
            name: (self.site / name).read_bytes()
            for name in self.twisted
            if (self.site / name).is_file() and name.endswith(".py")
        }

    def pip(self, *arguments: str | Path) -> str:
        """
        Install or uninstall.
        """
        return run(sys.executable, "-m", "pip", "--python", self.bin / "python", *arguments)

    def install(self, *what: str | Path) -> None:
        """
        Install, with what is there.
        """
        self.pip("install", "--no-deps", "--no-build-isolation", *what)

    def python(self, program: str, *arguments: str) -> str:
        """
        Run a Python program, which does not see the directory it runs in.
        """
        return run(self.bin / "python", "-I", "-c", program, *arguments)

    def help(self, module: str) -> str:
        """
        What one of Twisted's commands says of itself.
        """
        program = {
            "twistd": "from twisted.scripts.twistd import run; run()",
            "twist": "from twisted.application.twist._twist import Twist; Twist.main()",
        }[module]
        return self.python(f"import sys; sys.argv[0] = {module!r}; {program}", "--help")


class InstallTests(SynchronousTestCase):
    """
    Installing, each way that people do it, and uninstalling.
    """

    def setUp(self) -> None:
        """
        An environment.
        """
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.environment = Environment(self.directory / "environment")

    def works(self, where: Path) -> None:
        """
        The command runs, the plugin is there, and after the uninstalling Twisted is as it was.

        @param where: below which the modules have to be.
        """
        environment = self.environment
        found = environment.python("import mailauth.server; print(mailauth.server.__file__)")
        self.assertTrue(Path(found.strip()).resolve().is_relative_to(where.resolve()), found)
        # The command makes a database, so the migrations are there, too.
        rotated = run(environment.bin / "mailauth", "--data", deploy(self), "key", "rotate")
        self.assertIn("signs now", rotated)
        for command in ("twistd", "twist"):
            self.assertIn("IMAP, submission and POP3", environment.help(command))
        found = environment.python("import twisted; print(twisted.__file__)")
        self.assertTrue(Path(found.strip()).is_relative_to(environment.site), found)

        environment.pip("uninstall", "--yes", "mailauth")

        self.assertEqual(environment.twistedFiles(), environment.before)
        self.assertGreater(len(environment.before), 300)
        self.assertFalse((environment.bin / "mailauth").exists())
        for command in ("twistd", "twist"):
            text = environment.help(command)
            self.assertNotIn("mailauth", text)
            self.assertIn("web", text)

    def test_wheel(self) -> None:
        """
        From a wheel.
        """
        wheel, _ = build()
        self.environment.install(wheel)

        self.works(self.environment.site)

    def test_sources(self) -> None:
        """
        C{pip install .}
        """
        self.environment.install(copySources(self.directory))

        self.works(self.environment.site)

    def test_editable(self) -> None:
        """
        C{pip install -e .}
        """
        sources = copySources(self.directory)
        self.environment.install("--editable", sources)

        self.works(sources / "mailauth")
