"""Standard tests: copies, dumps, and what they must not hold."""

import copy
import json
import pickle

import pytest

from tests.llama_index.standard.base import Group, user


class SerialisationTests(Group):
    def test_a_dumped_llm_comes_back(self, emulator):
        llm = self.build(emulator, max_tokens=77)
        again = type(llm).from_dict(llm.to_dict())
        assert (again.model, again.max_tokens) == (llm.model, 77)
        assert type(llm).from_json(llm.to_json()).max_tokens == 77

    def test_the_dump_is_plain_json(self, llm):
        assert json.loads(llm.to_json())["class_name"] == llm.class_name()

    @pytest.mark.parametrize("form", ["dict", "json", "pickle", "text"])
    def test_nothing_that_is_written_holds_the_token(self, emulator, form):
        issue = emulator.identity.issue
        issued: list[str] = []
        emulator.identity.issue = lambda *args, **kwargs: issued.append(issue(*args, **kwargs)) or issued[-1]
        try:
            llm = self.build(emulator)
        finally:
            del emulator.identity.issue
        llm.chat([user("Hello")])
        written = {
            "dict": lambda: str(llm.to_dict()),
            "json": llm.to_json,
            "pickle": lambda: pickle.dumps(llm).decode("latin-1"),
            "text": lambda: repr(llm) + str(llm.to_payload()),
        }[form]()
        assert issued
        assert all(token not in written for token in issued)

    def test_an_llm_can_be_pickled_after_a_call(self, emulator):
        llm = self.build(emulator, max_tokens=77)
        llm.chat([user("Hello")])
        assert pickle.loads(pickle.dumps(llm)).max_tokens == 77
        assert llm.chat([user("Hello")]).message.content

    def test_an_llm_can_be_copied_deeply_after_a_call(self, emulator):
        llm = self.build(emulator, max_tokens=77)
        llm.chat([user("Hello")])
        copied = copy.deepcopy(llm)
        assert copied.max_tokens == 77
        assert copied.chat([user("Hello")]).message.content

    def test_a_word_that_is_no_setting_is_refused(self, emulator):
        with pytest.raises(Exception, match="temperatur"):
            self.build(emulator, temperatur=0.5)

    @pytest.mark.parametrize(("name", "value"), [("top_p", 0.5), ("stop", ["END"]), ("seed", 7)])
    def test_settings_of_the_constructor_reach_the_wire(self, emulator, name, value):
        self.build(emulator, **{name: value}).chat([user("Hello")])
        assert emulator.journal.last.body[name] == value

    def test_additional_kwargs_reach_the_wire(self, emulator):
        self.build(emulator, additional_kwargs={"top_p": 0.5}).chat([user("Hello")])
        assert emulator.journal.last.body["top_p"] == 0.5
