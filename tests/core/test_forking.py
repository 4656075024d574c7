"""What holds a lock is renewed in a forked child."""

import os
import sys

import pytest

from vertex_compat_integrations.core.forking import run_in_forked_child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_the_child_alone_runs_what_was_registered():
    renewed = []
    run_in_forked_child(lambda: renewed.append(os.getpid()))
    child = os.fork()
    if not child:
        os._exit(0 if renewed == [os.getpid()] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert renewed == []


def test_where_nothing_forks_nothing_is_registered(monkeypatch):
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    run_in_forked_child(sys.exit)
