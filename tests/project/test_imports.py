"""The import rules hold, and what takes long to import is not imported before it is needed."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.project.repository import PACKAGES, ROOT, pyproject, sources

BY_NAME = {"aiosqlite"}
"""SQLAlchemy imports it, for the name in the address of the database."""

SLOW = ("anthropic", "discord", "alembic")


def test_the_import_rules_of_the_project_are_kept() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("module", ["bots.__main__", "bots.server", "shared.backends", "shared.store", "shared.turns"])
def test_a_module_that_starts_the_server_imports_nothing_slow(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({SLOW}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_the_tests_of_every_package_lie_under_tests() -> None:
    assert [path for path in sources(*PACKAGES) if path.name.startswith("test_") or path.name == "conftest.py"] == []


def imported(*folders: str) -> set[str]:
    """The top-level modules of other people that the code in these folders imports."""
    found: set[str] = set()
    for path in sources(*folders):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(PACKAGES) - {"tests"}


def test_the_project_declares_what_its_code_imports_and_nothing_else() -> None:
    declared = {re.split(r"[\[<>=~! ]", each)[0].lower() for each in pyproject()["project"]["dependencies"]}
    providers = packages_distributions()
    used = {name.lower().replace("_", "-") for module in imported(*PACKAGES) for name in providers[module]}
    assert used | BY_NAME == declared
