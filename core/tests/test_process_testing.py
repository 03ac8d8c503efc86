"""What a test starts does not outlive it: programs that start too slowly, their children, programs of a killed run."""

import json
import subprocess
import sys

import pytest
from django.conf import settings

from core.testing import eventually
from core.testing.processes import Program, program
from vectragrow.embedded.processes import identity, is_same

WITH_A_CHILD = """
import json, signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)"
child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(1000)
"""
A_RUN = """
import json, time
import django
django.setup()
from core.testing.processes import Program
from vectragrow.embedded.processes import identity
print(json.dumps(identity(Program("-c", "import time; time.sleep(1000)").process.pid)), flush=True)
time.sleep(1000)
"""


def test_a_program_that_starts_too_slowly_is_ended_with_its_children() -> None:
    slow = Program("-c", WITH_A_CHILD)
    eventually(slow.output)
    both = [identity(slow.process.pid), identity(int(slow.output()))]
    assert all(map(is_same, both))
    with pytest.raises(AssertionError, match="did not happen in time"):
        slow.wait_for(lambda: False, within=0)
    eventually(lambda: not any(map(is_same, both)))


def test_a_program_that_ends_by_itself_is_not_waited_for() -> None:
    with pytest.raises(AssertionError, match=r"it ended: .*out of order"):
        Program("-c", "raise SystemExit('out of order')").wait_for(lambda: False)


def test_a_failing_test_ends_its_program() -> None:
    with pytest.raises(ZeroDivisionError), program("-c", WITH_A_CHILD) as running:
        eventually(running.output)
        both = [identity(running.process.pid), identity(int(running.output()))]
        raise ZeroDivisionError
    eventually(lambda: not any(map(is_same, both)))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed process takes nobody along")
def test_a_killed_run_takes_its_programs_along() -> None:
    run = subprocess.Popen([sys.executable, "-c", A_RUN], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
    noted = json.loads(run.stdout.readline())
    assert is_same(noted)
    run.kill()
    run.communicate()
    eventually(lambda: not is_same(noted))
