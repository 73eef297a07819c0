"""The script that gives a managed Redis its password, with a stand-in of the AWS command line."""

import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "terraform" / "modules" / "redis" / "set-auth-token.sh"
AWS = """#!/bin/sh
case "$*" in
    *get-secret-value*) echo "rediss://:s3cret@redis.example:6379/0" ;;
    *describe-replication-groups*) echo "$PROTECTED" ;;
    *modify-replication-group*) cat "${4#file://}" >>"$SEEN"; echo >>"$SEEN" ;;
esac
echo "$*" >>"$SEEN.arguments"
"""


@pytest.fixture
def run(tmp_path):
    program = tmp_path / "aws"
    program.write_text(AWS)
    program.chmod(0o755)

    def run(protected, path=f"{tmp_path}:{os.environ['PATH']}"):
        environ = {"PATH": path, "PROTECTED": protected, "SEEN": str(tmp_path / "seen"),
                   "GROUP": "tollgate-prod", "SECRET": "arn:secret", "TMPDIR": str(tmp_path)}
        done = subprocess.run([SCRIPT], env=environ, capture_output=True, text=True, check=False,
                              timeout=20)
        seen = tmp_path / "seen"
        requests = [json.loads(line) for line in seen.read_text().splitlines()] \
            if seen.exists() else []
        return done, requests

    return run


def test_first_password_ends_access_without_one(run):
    done, requests = run("False")

    assert done.returncode == 0, done.stderr
    assert [r["AuthTokenUpdateStrategy"] for r in requests] == ["ROTATE", "SET"]
    assert {r["AuthToken"] for r in requests} == {"s3cret"}


def test_next_password_leaves_the_one_before_valid(run):
    _, requests = run("True")

    assert [r["AuthTokenUpdateStrategy"] for r in requests] == ["ROTATE"]


def test_password_is_in_no_argument_and_no_file_afterwards(run, tmp_path):
    done, _ = run("False")

    assert "s3cret" not in (tmp_path / "seen.arguments").read_text() + done.stdout + done.stderr
    assert not list(tmp_path.glob("tmp.*"))


def test_missing_command_line_says_what_to_do(run, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "mktemp"):
        (tools / name).symlink_to(f"/bin/{name}" if name == "sh" else "/usr/bin/mktemp")

    done, _ = run("False", path=str(tools))

    assert done.returncode == 1
    assert "aws is not in PATH" in done.stderr
