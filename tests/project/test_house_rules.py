"""Rules for the text of the repository that no tool knows."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.project.repository import ROOT, committed, sources

# Put together, so that this file keeps its own rules.
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "artifact" + "ory"]
# claude.ai names the files that its model makes by a folder of its own machines.
MACHINE = re.compile(r"(?<![\w.~>)}\]:/-])/(?:home|root|Users|work|tmp|opt|mnt(?!/user-data))/\w")
PLATFORM = re.compile("discord|telegram|slack", re.IGNORECASE)
IGNORE = re.compile(r"#\s*(?:type|pyright):\s*ignore(?P<rules>\[[\w, -]+\])?(?P<reason>.*)")
SETTINGS = Path("shared/settings.py")


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a text file, each with where it stands; none for other files."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        yield f"{path.relative_to(ROOT)}:{number}", line


def comments(path: Path) -> Iterator[tuple[str, str]]:
    """The comments of a Python file, each with where it stands."""
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.COMMENT:
                yield f"{path.relative_to(ROOT)}:{token.start[0]}", token.string


def test_nothing_committed_names_the_host_of_a_package_registry() -> None:
    found = [where for path in committed() for where, line in lines(path) if any(host in line.lower() for host in HOSTS)]
    assert found == []


def test_nothing_committed_names_a_path_of_one_machine() -> None:
    found = [where for path in committed() for where, line in lines(path) if MACHINE.search(line)]
    assert found == []


def test_shared_names_no_platform_outside_its_settings() -> None:
    files = [path for path in sources("shared") if path != ROOT / SETTINGS]
    assert files
    assert [where for path in files for where, line in lines(path) if PLATFORM.search(line)] == []


def test_no_file_of_shared_is_named_after_a_platform() -> None:
    assert [path for path in sources("shared") if PLATFORM.search(str(path.relative_to(ROOT)))] == []


def test_whoever_silences_the_type_checker_names_the_rule_and_the_reason() -> None:
    bare: list[str] = []
    for path in sources("bots", "shared", "migrations", "sandbox", "tests"):
        for where, comment in comments(path):
            match = IGNORE.search(comment)
            if match and (not match["rules"] or not re.search(r"\w{2,} +\w{2,}", match["reason"])):
                bare.append(where)
    assert bare == []


def test_only_the_settings_read_the_environment() -> None:
    files = [path for path in sources("bots", "shared", "migrations", "sandbox") if path != ROOT / SETTINGS]
    # To set what a library will ask for is not to read.
    reads = re.compile(r"\bos\.(environ(?!\.setdefault\()|getenv)\b|from os import .*\b(environ|getenv)\b")
    assert [where for path in files for where, line in lines(path) if reads.search(line)] == []


def test_no_file_is_longer_than_450_lines() -> None:
    files = sources("bots", "shared", "migrations", "sandbox", "tests")
    assert [path for path in files if len(path.read_text("utf-8").splitlines()) > 450] == []
