"""What is packed, what is installed, and which version it says it is."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.project.repository import PACKAGES, ROOT, pyproject


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project as an archive download has it: no git, nothing ignored, and a filled-in `.env` in it."""
    tree = tmp_path / "tree"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".env.example"):
        shutil.copy(ROOT / name, tree / name)
    (tree / ".env").write_text("DISCORD_TOKEN=secret\n")
    (tree / "state").mkdir()
    (tree / "state" / "threadline.db").write_text("private")
    return tree


def packed(tree: Path) -> set[str]:
    """The files of the packages in a tree."""
    return {path.relative_to(tree).as_posix() for package in PACKAGES for path in (tree / package).rglob("*") if path.is_file()}


def build(tree: Path, kind: str) -> Path:
    """Build a wheel or an sdist; this needs no network."""
    out = tree.parent / "out"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)], cwd=tree, check=True, capture_output=True
    )
    return next(out.iterdir())


def test_the_wheel_holds_the_packages_and_nothing_else(copy: Path) -> None:
    with zipfile.ZipFile(build(copy, "wheel")) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == packed(copy)


def test_the_sdist_holds_what_is_listed_and_no_private_file(copy: Path) -> None:
    with tarfile.open(build(copy, "sdist")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    listed = {"pyproject.toml", "PKG-INFO", "README.md", "CHANGELOG.md", "LICENSE", ".env.example"}
    assert names == packed(copy) | listed


def test_no_dependency_ships_a_package_of_ours() -> None:
    installed = packages_distributions()
    for package in PACKAGES:
        # An editable install may or may not name them.
        assert set(installed.get(package, [])) <= {"threadline"}, package


def test_the_project_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in pyproject()["project"]["classifiers"]


def test_the_version_is_the_newest_of_the_changelog() -> None:
    newest = re.search(r"^## \[(?P<version>\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest["version"] == pyproject()["project"]["version"]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_with_a_hash_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    pins = text.replace("\\\n", " ").strip().splitlines()
    assert pins
    assert [pin for pin in pins if not re.match(r"^[a-z0-9._-]+==\S+.* --hash=sha256:[0-9a-f]{64}", pin)] == []


def test_the_lock_for_development_pins_what_the_lock_to_run_pins() -> None:
    pins = [
        set(re.findall(r"^[a-z0-9._-]+==\S+", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] <= pins[1]
