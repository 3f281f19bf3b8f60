"""
What pytest has to know about the suite: with C{MAILAUTH_NO_SKIPS} in the environment, which CI
sets, a test that was skipped has failed.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """
    Turn a skip into a failure where nothing may be skipped.
    """
    report = yield
    if report.skipped and os.environ.get("MAILAUTH_NO_SKIPS"):
        reason: Any = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which is not allowed here: {reason}"
    return report
