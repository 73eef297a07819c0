"""The demo passes its own checks, also with documents it has never seen."""

import json
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from eventing.cli.demo_figures import expected, figures_in
from eventing.cli.place import Place, alive
from tests.foreground import in_foreground

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "eventing.cli.main", "demo", "--json"]


def demo(*arguments):
    run = subprocess.run([*DEMO, *arguments], check=False, capture_output=True, text=True,
                         timeout=180)
    assert run.stdout, run.stderr
    return run.returncode, json.loads(run.stdout)


def generate(folder, seed):
    file = ROOT / "examples" / "generate.py"
    subprocess.run([sys.executable, str(file), "--seed", str(seed), "--folder", str(folder)],
                   check=True)


def test_demo_passes_every_check():
    code, told = demo()

    assert [name for name, holds in told["checks"].items() if not holds] == []
    assert code == 0
    assert told["webhook_calls"] == 1
    assert told["ledger"]["held_nano"] == told["ledger"]["sequence_gaps"] == 0
    assert told["costs"]["total_nano"] == told["ledger"]["posted_nano"] > 0


def test_answer_follows_documents_that_it_has_never_seen(tmp_path):
    seed = random.randrange(2**32)
    generate(tmp_path, seed)

    code, told = demo("--files", str(tmp_path))

    figures = expected((tmp_path / "sales.csv").read_text(), (tmp_path / "report.md").read_text())
    assert set(figures.values()) <= figures_in(told["answer"]), f"seed {seed}"
    assert code == 0, told["checks"]


def test_script_of_the_demo_holds_no_figure_of_the_answer():
    examples = ROOT / "examples"
    figures = expected((examples / "sales.csv").read_text(), (examples / "report.md").read_text())
    amounts = {value for value in figures.values() if value > Decimal(100)}

    assert not amounts & figures_in((examples / "demo.yaml").read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_nothing_running(tmp_path, number):
    running = subprocess.Popen(
        in_foreground(*DEMO, "--data", str(tmp_path)), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while (state := Place(tmp_path).state()) is None and time.monotonic() < until:
        time.sleep(0.05)

    running.send_signal(number)
    running.communicate(timeout=60)

    assert running.returncode == 130
    assert not alive(state["pid"])
