"""A command that serves ends at a signal, whenever it comes and whichever thread the system chooses for it."""

import signal
import threading
import time

import pytest

from vertex_compat_integrations.cli.common.stop_signal import stop_signal


def test_a_signal_that_another_thread_receives_ends_the_wait():
    """A lock that the main thread waits for would not be interrupted by it."""

    def receive() -> None:
        time.sleep(0.3)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with stop_signal() as stopped:
        receiving = threading.Thread(target=receive)
        receiving.start()
        began = time.monotonic()
        assert stopped.wait(30)
        assert time.monotonic() - began < 15
        receiving.join()
    assert stopped.number == signal.SIGTERM


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGINT)])
def test_the_first_signal_counts_and_another_is_noted(numbers):
    with stop_signal() as stopped:
        assert not stopped.wait(0)
        signal.raise_signal(numbers[0])
        assert stopped.wait()
        assert not stopped.is_repeated
        signal.raise_signal(numbers[1])
        assert stopped.wait()
        assert stopped.is_repeated
    assert stopped.number == numbers[0]


def test_what_was_before_is_again_afterwards():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_signal():
        assert signal.getsignal(signal.SIGTERM) != before[1]
        descriptor = signal.set_wakeup_fd(-1)
        assert descriptor != -1
        signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert signal.set_wakeup_fd(-1) == -1
