"""A stand-in of AWS, a copy of `terraform/`, and what a caller of `make` would run."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import boto3

ROOT = Path(__file__).parents[3]
LOG = "aws.log"
ANSWERED = re.compile(r'" [1-4]\d\d ')
START_MAX_S = 30
RUN_MAX_S = 300
ACCESS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests",
          "AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass
class Stand:
    """Runs commands on the copy, as a process of their own."""

    folder: Path
    url: str
    environ: dict[str, str] = field(default_factory=dict)

    def given(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_VAR_", "CI"))}
        return {**kept, **ACCESS, "AWS_ENDPOINT_URL": self.url,
                "XDG_CACHE_HOME": str(self.folder.parent / "cache"), "TF_VAR_addons": "{}",
                "PYTHONPATH": str(ROOT), **self.environ, **more}

    def start(self, *arguments, **more):
        command = [sys.executable, "-m", "eventing.environments", *arguments,
                   "--folder", str(self.folder / "terraform")]
        return subprocess.Popen(command, cwd=self.folder, env=self.given(**more), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, *arguments, **more):
        """Return exit code, the last line, and all that was shown, after what AWS failed at."""
        process = self.start(*arguments, **more)
        output, errors = process.communicate(timeout=RUN_MAX_S)
        lines = output.splitlines()
        shown = "".join((*self.faults(), output, errors))
        return process.returncode, lines[-1] if lines else "", shown

    def faults(self):
        """Return the lines of AWS's log that are no answer below 500; a stand may have no AWS."""
        log = self.folder / LOG
        lines = log.read_text().splitlines(keepends=True) if log.exists() else ()
        return [line for line in lines if not ANSWERED.search(line)]

    def made(self, *command, **more):
        """Return the same of a make target."""
        done = subprocess.run([*command, f"terraform={self.folder / 'terraform'}"], cwd=ROOT,
                              env=self.given(**more), text=True, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=RUN_MAX_S)
        lines = done.stdout.splitlines()
        return done.returncode, lines[-1] if lines else "", done.stdout + done.stderr

    def terraform(self, root, *arguments, **more):
        from eventing.environments.plugins import ready_environment

        command = ["terraform", f"-chdir={self.folder / 'terraform' / root}", *arguments]
        return subprocess.run(command, env=ready_environment(self.given(**more)), text=True,
                              capture_output=True, check=False, timeout=RUN_MAX_S)

    def root(self, environment, stack="platform"):
        return self.folder / "terraform" / "environments" / environment / stack

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name="eu-central-1",
                            aws_access_key_id="tests", aws_secret_access_key="tests")


def copied(folder):
    """Copy the configuration without what a run on it has left."""
    left = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*_override.tf", "__pycache__")
    shutil.copytree(ROOT / "terraform", folder / "terraform", ignore=left)
    return folder


def started_aws(log):
    """Start the server, which writes to the file `log`; return its process and address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.terraform.aws.server", str(port)],
            cwd=ROOT, env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
            stdout=file, stderr=file)
    until = time.monotonic() + START_MAX_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"moto's server did not start within {START_MAX_S} s")
