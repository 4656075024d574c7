"""What holds a lock is renewed in a forked child; a fork waits for what it must not cut."""

import os
import sys
import threading
import time

import pytest

from vertex_compat_integrations.core import forking
from vertex_compat_integrations.core.forking import run_in_forked_child, uncut_by_forks


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


def in_another_thread(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def ends_well(ends: list[str]) -> bool:
    """Whether the child of a fork has these ends, and can do such work itself."""
    child = os.fork()
    if not child:
        with uncut_by_forks():
            os._exit(0 if ends == ["whole"] else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
class TestForksBesideWork:
    def test_a_fork_waits_until_it_is_whole(self):
        begun, ends = threading.Event(), []

        def work() -> None:
            with uncut_by_forks():
                begun.set()
                time.sleep(0.2)
                ends.append("whole")

        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        assert ends_well(ends)
        thread.join()

    def test_it_waits_for_a_while_only(self, monkeypatch):
        monkeypatch.setattr(forking, "_LONGEST_WAIT_SECONDS", 0.01)
        begun, goes_on = threading.Event(), threading.Event()

        def work() -> None:
            with uncut_by_forks():
                begun.set()
                goes_on.wait(60)

        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        assert ends_well(["whole"])
        goes_on.set()
        thread.join()
        assert ends_well(["whole"])

    def test_a_fork_that_waits_in_vain_leaves_the_other_one_its_own(self, monkeypatch):
        uncut, is_free = forking._UNCUT, []
        uncut.before()
        monkeypatch.setattr(forking, "_LONGEST_WAIT_SECONDS", 0.01)
        in_another_thread(uncut.before)
        uncut.after_in_parent()
        in_another_thread(uncut.after_in_parent)
        in_another_thread(lambda: (is_free.append(uncut.lock.acquire(blocking=False)), uncut.lock.release()))
        assert is_free == [True]

    def test_work_that_forks_does_not_wait_for_itself(self):
        with uncut_by_forks():
            assert ends_well(["whole"])
