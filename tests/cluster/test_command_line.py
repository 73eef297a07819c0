"""The command line speaks to a cluster through one forwarded port."""

import json
import os
import subprocess
import sys

import anyio
import pytest

pytestmark = pytest.mark.anyio

QUESTIONS = (("task", "list"), ("costs", "--by", "agent"), ("costs", "--gaps"), ("stops",),
             ("dead-letters", "list"), ("budget", "list"))
"""Gateway, costs, ledger and deadletters: each has to be told apart by its host."""


def asked(system, tenant, *command):
    env = os.environ | {"TOLLGATE_CLUSTER": system.entrance,
                        "TOLLGATE_API_KEY": f"key-of-{tenant.name}-for-admin"}
    done = subprocess.run([sys.executable, "-m", "eventing.cli.main", *command, "--json"],
                          capture_output=True, text=True, check=False, timeout=180, env=env)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


async def test_command_line_reaches_every_function_through_the_inner_entrance(system):
    tenant = system.tenant()

    def answers():
        task = asked(system, tenant, "task", "run", "plain", "--agent", "researcher")
        return task, {command[0]: asked(system, tenant, *command) for command in QUESTIONS}
    task, found = await anyio.to_thread.run_sync(answers)

    assert task["status"] == "completed"
    assert [one["id"] for one in found["task"]["tasks"]] == [task["id"]]
    assert found["stops"] == {"stops": []}
    assert found["dead-letters"]["dead_letters"] == []
