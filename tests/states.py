"""Values that tests of tasks begin from."""

from pydantic import SecretStr

from shared.auth import Grant, TaskLimits, sign
from shared.tasks.contract import AgentTask, TaskRequest
from shared.tasks.state import OpenCall, TaskState
from shared.tasks.store import Snapshot

KEY = SecretStr("k" * 32)
NOW = 1_800_000_000.0


def request(**changes):
    return TaskRequest(**{"agent": "researcher", "prompt": "How much?", **changes})


def task(task_id="t1", **changes):
    return AgentTask.accept(request(**changes), task_id=task_id)


def state(task_id="t1", tenant="acme", created_at=NOW, **changes):
    asked = {k: changes.pop(k) for k in list(changes) if k in TaskRequest.model_fields}
    made = task(task_id, **asked)
    grant = Grant(tenant=tenant, agent=made.agent, session=made.session_id, root=made.id,
                  limits=TaskLimits(task=made.id, usd=made.cost_budget_nano, tok=made.token_budget),
                  exp=int(created_at + 10**6))
    return TaskState.new(made, tenant=tenant, grant=sign(grant, KEY), root=made.id,
                         created_at=created_at, **changes)


def call(name="calculator", call_id="c1", **changes):
    return OpenCall(**{"call_id": call_id, "model_call_id": f"m-{call_id}", "tool": name,
                       "version": "1.0.0", "arguments": {}, **changes})


def snapshot(of=None, results=None, outbox=None, cancel=None, version=1):
    return Snapshot(state=of or state(), version=version, results=results or {},
                    outbox=outbox or {}, cancel=cancel)
