"""What the README tells a reader to type, typed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
CLI = [sys.executable, "-m", "eventing.cli.main"]
USE = (ROOT / "README.md").read_text().partition("## Use it")[2].partition("## Settings")[0]
REQUESTS = [block for block in BLOCK.findall(USE) if "curl" in block]
COMMANDS = [line for block in BLOCK.findall(USE) for line in block.splitlines()
            if line.startswith("tollgate ")]


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """A running system: its addresses, and its folder."""
    folder = tmp_path_factory.mktemp("readme")
    process = subprocess.Popen([*CLI, "up", "--json", "--data", str(folder)],
                               stdout=subprocess.PIPE, text=True)
    yield json.loads(process.stdout.readline()), folder
    process.terminate()
    process.wait(60)
    process.stdout.close()


def bash(script, **env):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, check=False,
                          env=os.environ | env, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


def here(script, system):
    """The README's script with this system's address and key, and this test's Python."""
    ready, folder = system
    return (script.replace("http://127.0.0.1:8080", ready["gateway"])
            .replace(".tollgate/api-key", str(folder / "api-key"))
            .replace(".venv/bin/python", sys.executable))


def test_requests_of_the_readme_are_answered(system):
    ran, sent, found = REQUESTS
    setting = "".join(line + "\n" for line in here(ran, system).splitlines() if "=" in line[:8])

    result = json.loads(bash(here(ran, system)))
    accepted = json.loads(bash(setting + here(sent, system)))
    again = json.loads(bash(setting + here(sent, system)))
    *_, task = bash(setting + here(found, system)).splitlines()

    assert result["status"] == "completed"
    assert "5" in result["output"]
    assert accepted["location"] == again["location"] == f"/tasks/{json.loads(task)['id']}"
    assert "80" in json.loads(task)["result"]["output"]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_readme_succeed(system, line):
    command = " ".join(f"'{part}'" for part in CLI)

    bash(line.replace("tollgate", command, 1), TOLLGATE_DATA=str(system[1]))
