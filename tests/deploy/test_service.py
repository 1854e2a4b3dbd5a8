"""The unit for systemd: what systemd itself says of it where it is installed, and everywhere that it keeps its promises."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from shared.settings import Settings, names
from tests.project.repository import ROOT, pyproject

UNIT = ROOT / "deploy" / "threadline.service"
BACK_OFF = ROOT / "deploy" / "threadline.service.d" / "back-off.conf"
EXPOSURE = 2.0
"""What `systemd-analyze security` may say at most, of 10."""

NEEDED = {
    "Type": "notify",
    "NotifyAccess": "main",
    "Restart": "on-failure",
    "RestartPreventExitStatus": "2",
    "DynamicUser": "yes",
    "StateDirectory": "threadline",
    "StateDirectoryMode": "0700",
    "UMask": "0077",
    "LimitCORE": "0",
    "KillMode": "mixed",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "DevicePolicy": "closed",
    "KeyringMode": "private",
    "ProcSubset": "pid",
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
}
SWITCHED_ON = (
    "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "PrivateMounts", "PrivateTmp",
    "PrivateUsers", "ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs",
    "ProtectKernelModules", "ProtectKernelTunables", "RemoveIPC", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
)  # fmt: skip


def entries(path: Path) -> Iterator[tuple[str, str, str]]:
    """Section, key and value of every assignment, by the rules of systemd.syntax(7) that the file makes use of."""
    section = ""
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        else:
            match = re.fullmatch(r"(\w+)=(.*)", line)
            assert match, line
            yield section, match[1], match[2]


def values(key: str, section: str = "Service") -> list[str]:
    return [value for where, name, value in entries(UNIT) if (where, name) == (section, key)]


def value(key: str, section: str = "Service") -> str:
    found = values(key, section)
    assert len(found) == 1, key
    return found[0]


def version() -> int:
    """The version of systemd here. Skips the test where there is none, or one older than the unit is for."""
    command = shutil.which("systemd-analyze")
    if command is None:
        pytest.skip("systemd-analyze is not installed")
    told = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    match = re.match(r"systemd (\d+)", told.stdout)
    assert match
    if int(match[1]) < 252:
        pytest.skip("systemd is older than 252")
    return int(match[1])


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit as it is once installed: what it starts is there."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace(value("ExecStart").split()[0], sys.executable), "utf-8")
    return unit


def analyzed(*arguments: str) -> tuple[int, str]:
    """The exit status of `systemd-analyze`, and what it says."""
    ran = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def verified(unit: Path) -> tuple[int, str]:
    """What systemd has against the unit; what it has against others on this machine is left out."""
    return analyzed("verify", "--man=no", "--recursive-errors=no", str(unit))


def test_systemd_finds_nothing_wrong_with_the_unit(installed: Path) -> None:
    version()
    assert verified(installed) == (0, "")


def test_systemd_would_tell_of_a_key_that_it_does_not_know(installed: Path) -> None:
    version()
    installed.write_text(installed.read_text("utf-8").replace("WatchdogSec=", "WatchdogSecs="), "utf-8")
    status, told = verified(installed)
    assert status != 0
    assert "WatchdogSecs" in told


def test_systemd_finds_nothing_wrong_with_the_back_off_where_it_knows_it(installed: Path) -> None:
    if version() < 254:
        pytest.skip("RestartSteps is known to systemd 254 and newer")
    folder = installed.with_name(BACK_OFF.parent.name)
    folder.mkdir()
    shutil.copy(BACK_OFF, folder)
    assert verified(installed) == (0, "")


def test_systemd_rates_the_unit_as_little_exposed(installed: Path) -> None:
    version()
    _, rated = analyzed("security", "--offline=true", "--no-pager", str(installed))
    match = re.search(r"Overall exposure level for threadline\.service: (\d+\.\d+)", rated)
    assert match, rated
    assert float(match[1]) < EXPOSURE, rated


def test_the_unit_tells_when_it_is_ready_writes_its_state_alone_and_may_do_little_else() -> None:
    assert {key: value(key) for key in NEEDED} == NEEDED
    assert {key: value(key) for key in SWITCHED_ON} == dict.fromkeys(SWITCHED_ON, "yes")
    assert values("SystemCallFilter") == ["@system-service", "~@privileged @resources"]


def test_a_loop_that_hangs_and_a_failure_end_in_a_restart_that_is_never_given_up() -> None:
    assert 10 <= int(value("WatchdogSec")) <= 120
    assert int(value("RestartSec")) > 0
    assert value("StartLimitIntervalSec", "Unit") == "0"
    assert [(section, key) for section, key, _ in entries(BACK_OFF)] == [
        ("Service", "RestartSteps"),
        ("Service", "RestartMaxDelaySec"),
    ]


def test_a_stop_has_more_time_than_the_server_takes_by_default() -> None:
    assert int(value("TimeoutStopSec")) >= 2 * Settings.model_fields["drain_seconds"].default


def test_every_secret_setting_is_a_credential_and_no_other_setting_is_one() -> None:
    secret = [
        name for name, field in Settings.model_fields.items() if SecretStr in (field.annotation, *get_args(field.annotation))
    ]
    assert sorted(values("LoadCredential")) == sorted(f"{name}:threadline.{name}" for name in secret)


def test_the_unit_starts_our_command_and_sets_none_but_our_settings() -> None:
    command, *arguments = value("ExecStart").split()
    assert Path(command).is_absolute()
    assert Path(command).name in pyproject()["project"]["scripts"]
    assert arguments == ["run"]
    told = {entry.partition("=")[0] for entry in values("Environment")}
    assert told - {"PYTHONFAULTHANDLER"} <= set(names())
    assert "Environment=STATE_DIR=%S/threadline" in UNIT.read_text("utf-8").splitlines()
