"""The log, as a process writes it."""

import json
import subprocess
import sys
from functools import cache

import pytest

from shared.log import HIDDEN, fault

TOKEN = "very-secret-token"

PROGRAM = """
import logging, sys, structlog
from shared import log
log.configure(sys.argv[1], sys.argv[2], ["very-secret-token", ""])
mine = structlog.get_logger("shared.turns")
mine.debug("a debug line")
mine.info("with very-secret-token inside", token="very-secret-token", nested={"a": ["very-secret-token"]}, number=3)
logging.getLogger("library").info("too much")
logging.getLogger("library").warning("the token is %s", "very-secret-token")
try:
    raise ValueError("very-secret-token in an exception\\nof two lines")
except ValueError:
    logging.getLogger("library").exception("it failed")
    mine.error("ours failed")
"""


@cache
def said(level: str = "info", form: str = "json") -> list[str]:
    run = subprocess.run([sys.executable, "-c", PROGRAM, level, form], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == ""
    assert TOKEN not in run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr.splitlines()


def test_every_event_is_one_line_and_secrets_stay_out() -> None:
    lines = [json.loads(line) for line in said()]
    assert [line["event"] for line in lines] == [
        f"with {HIDDEN} inside", f"the token is {HIDDEN}", "it failed", "ours failed",
    ]  # fmt: skip
    assert lines[0]["token"] == HIDDEN
    assert TOKEN not in json.dumps(lines[0]["nested"])
    assert lines[0]["number"] == 3
    assert lines[2]["fault"].startswith("ValueError at ")
    assert {line["level"] for line in lines} == {"info", "warning", "error"}


def test_the_level_and_the_form_are_settings() -> None:
    assert len(said("error")) < len(said("info")) < len(said("debug"))
    console = said("info", "console")
    assert len(console) == 4
    assert not console[0].startswith("{")


def test_a_fault_is_told_by_kind_and_place() -> None:
    try:
        raise KeyError("secret")
    except KeyError as error:
        told = fault(error)
    assert told.startswith("KeyError at test_log.py:")
    assert "secret" not in told
    assert fault(KeyError("x")) == "KeyError"


@pytest.mark.parametrize("form", ["json", "console"])
def test_hostile_text_stays_on_its_line(form: str) -> None:
    program = PROGRAM.split("mine.debug")[0] + r'mine.info("x", name="a\nb\u2028c\x1b[31m")'
    run = subprocess.run([sys.executable, "-c", program, "info", form], capture_output=True, text=True, check=True, timeout=60)
    assert len(run.stderr.split("\n")) == 2
    assert "\x1b[31m" not in run.stderr
