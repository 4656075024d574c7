"""Newer models have their sampling fixed: what has no effect is taken, what would have one is refused."""

import pytest

from vertex_compat_integrations.emulator import Emulator

UNNAMED = ("google/gemini-5-argon", "google/gemini-3.5-pro")
"""Models that no row names: they are as the newest."""

NEWER = (
    "google/gemini-3.5-flash-lite",
    "google/gemini-3.6-flash",
    "google/gemini-3.7-flash",
    "google/gemini-3.8-flash",
    "google/gemini-3.8-flash-cyber",
    "google/gemini-4-argon",
    *UNNAMED,
    "google/nano-banana-2.1",
)
OLDER = (
    "google/gemini-3.5-flash",
    "google/gemini-3.1-flash-lite",
    "google/gemini-3.1-pro-preview",
    "google/gemini-3-flash-preview",
    "google/gemini-2.5-flash",
)
USER = {"role": "user", "content": "Finish my sentence."}
HALF = {"role": "assistant", "content": "It is"}


@pytest.fixture(scope="module")
def shared_emulator():
    with Emulator(models=UNNAMED) as emulator:
        yield emulator


@pytest.mark.parametrize("model", NEWER)
class TestNewer:
    @pytest.mark.parametrize("penalty", [{"frequency_penalty": 0.1}, {"presence_penalty": -1}])
    def test_a_penalty_is_refused(self, ask, model, penalty):
        reply = ask(model=model, **penalty)
        assert reply.status == 400
        assert reply.error == {
            "code": 400,
            "message": "Penalty is not enabled for this model",
            "status": "INVALID_ARGUMENT",
        }

    @pytest.mark.parametrize("value", [0, 0.0, None])
    def test_a_penalty_of_nothing_is_none(self, ask, model, value):
        assert ask(model=model, frequency_penalty=value, presence_penalty=value).status == 200

    def test_a_second_candidate_is_refused(self, ask, model):
        reply = ask(model=model, n=2)
        assert reply.error["message"] == (
            "Unable to submit request because candidateCount must be 1 but the entered value was 2. Update the "
            "candidateCount value and try again."
        )
        assert ask(model=model, n=1).status == 200

    @pytest.mark.parametrize("role", ["assistant", "model"])
    def test_the_model_may_not_have_the_last_word(self, ask, model, role):
        reply = ask(model=model, messages=[USER, {**HALF, "role": role}])
        assert (reply.status, reply.error["message"]) == (400, "Request contains an invalid argument.")
        assert ask(model=model, messages=[USER, {**HALF, "role": role}, USER]).status == 200

    def test_instructions_behind_it_do_not_count(self, ask, model):
        system = {"role": "system", "content": "Be brief."}
        assert ask(model=model, messages=[USER, HALF, system]).status == 400


@pytest.mark.parametrize("model", NEWER[:-1])
def test_temperature_and_top_p_are_taken_and_ignored(ask, emulator, model):
    plain = ask(model=model).message["content"]
    assert ask(model=model, temperature=0.1, top_p=0.5).message["content"] == plain
    assert emulator.journal.last.ignored == ["temperature", "top_p"]
    ask(model=model, temperature=None)
    assert emulator.journal.last.ignored == []


@pytest.mark.parametrize("model", OLDER)
def test_older_models_take_penalties_but_no_last_word_of_their_own(ask, emulator, model):
    body = {"frequency_penalty": 0.5, "presence_penalty": 0.5, "temperature": 0.1}
    assert ask(model=model, messages=[USER, HALF], **body).status == 400
    assert ask(model=model, messages=[USER], **body).status == 200
    assert emulator.journal.last.ignored == []


@pytest.mark.parametrize("parameter", [{"seed": 1}, {"temperature": 0}, {"top_p": 0.5}])
def test_nano_banana_refuses_what_others_ignore(ask, parameter):
    assert ask(model="google/nano-banana-2.1", **parameter).status == 400
    assert ask(model="google/gemini-3.1-flash-image", **parameter).status == 200


class TestArgon:
    MODEL = "google/gemini-4-argon"

    @pytest.mark.parametrize(("stream", "limit"), [(False, 32768), (True, 65536)], ids=["plain", "streamed"])
    def test_its_limit_depends_on_the_stream(self, ask, stream, limit):
        assert ask(model=self.MODEL, stream=stream, max_tokens=limit).status == 200
        reply = ask(model=self.MODEL, stream=stream, max_tokens=limit + 1)
        assert reply.status == 400
        assert f"maxOutputTokens value of {limit + 1}" in reply.error["message"]
        assert f"to {limit + 1} (exclusive)" in reply.error["message"]

    def test_without_a_limit_it_answers(self, ask):
        assert ask(model=self.MODEL).status == 200


def test_other_models_have_one_limit(ask):
    for stream in (False, True):
        assert ask(model="google/gemini-3.8-flash", stream=stream, max_tokens=65536).status == 200
