"""`tollgate ready`, as scripts read it."""

import json

import pytest

from eventing.cli.exits import Exit, Failure


@pytest.mark.parametrize(("env", "code"), [("prod", Exit.OK), ("dev", Exit.FAILED)])
def test_each_check_says_whether_it_holds_and_what_shows_it(tollgate, env, code):
    result = tollgate(["ready", "--env", env, "--json"])

    found = json.loads(result.stdout)
    assert result.exit_code == code
    assert len(found) > 20
    for check in found.values():
        assert isinstance(check["holds"], bool)
        assert check["evidence"] or not check["holds"], "what has no evidence does not hold"
        assert bool(check["what_to_do"]) is not check["holds"]


def test_unknown_environment_is_wrong_use(tollgate):
    failure = tollgate(["ready", "--env", "nowhere", "--json"]).exception

    assert isinstance(failure, Failure)
    assert failure.code is Exit.USAGE
    assert "there are dev, local, prod, staging" in failure.what
