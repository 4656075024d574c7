"""Messages and blocks on their way out, and answers on their way in, beyond what is asked of every class."""

import asyncio
from base64 import b64encode
from io import BytesIO

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from vertex_compat_integrations import emulator as emulated
from vertex_compat_integrations.core.errors import HistoryError, SettingsError, UnsupportedContentError
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.reply import Ending, ReplyDelta, ToolCallDelta, Usage
from vertex_compat_integrations.emulator.dialect.completion import one_pixel_png
from vertex_compat_integrations.llama_index.messages.decode import ResponseDecoder, tool_selections
from vertex_compat_integrations.llama_index.messages.encode import encode_messages

PNG = one_pixel_png()


def user(*blocks) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, blocks=list(blocks))


def parts(*blocks):
    """The content that a message with these blocks is sent as."""
    return encode_messages([user(TextBlock(text="See"), *blocks)])[0]["content"][1:]


def calls(count: int) -> ChatMessage:
    blocks = [ToolCallBlock(tool_call_id=f"c{number}", tool_name="add", tool_kwargs={}) for number in range(count)]
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def result(call_id: str, text: str = "1") -> ChatMessage:
    return ChatMessage(role=MessageRole.TOOL, content=text, additional_kwargs={"tool_call_id": call_id})


def test_one_text_is_a_string_and_several_are_parts():
    assert encode_messages([user(TextBlock(text="one"))])[0]["content"] == "one"
    two = encode_messages([user(TextBlock(text="one"), TextBlock(text=""), TextBlock(text="two"))])[0]["content"]
    assert two == [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]


def test_detail_goes_out():
    assert parts(ImageBlock(url="gs://b/x.png", detail="low"))[0]["image_url"] == {
        "url": "gs://b/x.png",
        "detail": "low",
    }


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        (AudioBlock(audio=b"\xff\xfb\x90\x00" + bytes(8), format="mp3"), "audio/mp3"),
        (AudioBlock(audio=bytes([1, 2, 250, 3]) + bytes(8), format="m4a"), "audio/mp4"),
        (AudioBlock(audio=bytes([1, 2, 250, 3]) + bytes(8), format="audio/aac"), "audio/aac"),
        (AudioBlock(url="https://example.com/sound.wav"), "audio/wav"),
        (VideoBlock(url="gs://bucket/film.mp4"), "video/mp4"),
        (DocumentBlock(url="gs://bucket/paper.pdf"), "application/pdf"),
    ],
    ids=["mp3", "m4a", "mime_type", "url", "video", "document"],
)
def test_sound_and_media_by_url_tell_their_type(block, kind):
    (part,) = parts(block)
    assert part["input_audio"]["format"].replace("x-wav", "wav") == kind


@pytest.mark.parametrize(
    "block",
    [
        ImageBlock(image=bytes([1, 2, 250, 3, 4, 5, 6, 7])),
        VideoBlock(url="gs://bucket/film"),
        AudioBlock(url="gs://bucket/sound"),
        ImageBlock(),
        VideoBlock(url="gs://bucket/film.mp4", fps=1),
    ],
    ids=["unknown_bytes", "unknown_video", "unknown_audio", "empty", "fps"],
)
def test_what_cannot_be_said_is_refused_with_a_remedy(block):
    with pytest.raises(UnsupportedContentError) as caught:
        parts(block)
    assert caught.value.hint


def test_a_call_has_no_place_in_a_users_message():
    with pytest.raises(UnsupportedContentError, match="ToolCallBlock"):
        parts(ToolCallBlock(tool_name="add"))


def test_a_stream_can_be_sent_twice():
    block = ImageBlock(image=BytesIO(PNG))
    assert parts(block) == parts(block)


def test_a_document_in_a_text_type_is_text_and_one_of_unknown_bytes_is_refused():
    assert parts(DocumentBlock(data=b"# Title", document_mimetype="text/markdown"))[0]["text"] == "# Title"
    with pytest.raises(UnsupportedContentError):
        parts(DocumentBlock(data=bytes([1, 2, 250, 3, 4, 5, 6, 7])))


def test_a_citation_is_said_as_what_it_cites():
    block = CitationBlock(cited_content="The key", source="notes", title="Notes", additional_location_info={})
    assert parts(block) == [{"type": "text", "text": "The key"}]


def test_missing_files_are_an_error_before_anything_is_sent(llm, emulator, tmp_path):
    path = tmp_path / "gone.png"
    path.write_bytes(PNG)
    block = ImageBlock(path=path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        llm.chat([user(TextBlock(text="See"), block)])
    assert not emulator.journal.chat


def test_a_result_of_the_old_kind_is_paired_by_name():
    old = ChatMessage(role=MessageRole.FUNCTION, content="1", additional_kwargs={"name": "add"})
    assert encode_messages([old]) == [{"role": "tool", "tool_call_id": "add", "name": "add", "content": "1"}]


def test_a_medium_in_a_result_stands_beside_the_text():
    block = ImageBlock(image=PNG)
    message = ChatMessage(
        role=MessageRole.TOOL, blocks=[TextBlock(text="A dot"), block], additional_kwargs={"tool_call_id": "c0"}
    )
    (encoded,) = encode_messages([message])
    (part,) = encoded["extra_content"]["google"]["parts"]
    assert part["inline_data"]["data"] == b64encode(PNG).decode()
    assert f'{{"$ref":"{part["inline_data"]["display_name"]}"}}' in encoded["content"]


def test_calls_that_stand_in_additional_kwargs_only_are_sent():
    class Function(BaseModel):
        name: str
        arguments: str

    class Call(BaseModel):
        id: str
        function: Function

    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    made = Call(id="c2", function=Function(name="add", arguments="{}"))
    message = ChatMessage(role=MessageRole.ASSISTANT, additional_kwargs={"tool_calls": [call, made]})
    assert [call["id"] for call in encode_messages([message])[0]["tool_calls"]] == ["c1", "c2"]
    assert [one.tool_kwargs for one in tool_selections(ChatResponse(message=message))] == [{"a": 1}, {}]


def test_arguments_that_are_no_json_are_still_an_object_on_the_wire(llm, emulator):
    broken = ToolCallBlock(tool_call_id="c0", tool_name="add", tool_kwargs='{"a": ')
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=[broken])
    llm.chat([user(TextBlock(text="Add.")), message, result("c0"), user(TextBlock(text="Well?"))])
    assert (
        emulator.journal.last.messages[1]["tool_calls"][0]["function"]["arguments"]
        == '{"invalid_arguments":"{\\"a\\": "}'
    )


@pytest.mark.parametrize("kept", ["nonsense", '"text"', 3, {"tool_calls": 3}, {"tool_calls": {"c0": "{"}}], ids=str)
def test_what_was_kept_and_is_damaged_is_left_out(kept):
    thinking = ThinkingBlock(additional_information={"vertex_compat": kept})
    message = calls(1)
    message.blocks.append(thinking)
    assert "extra_content" not in encode_messages([message])[0]["tool_calls"][0]


def test_extra_content_of_any_namespace_comes_back_whole(llm, emulator):
    extra = {"vertex": {"thought_signature": "s1", "more": [1, {"two": None}]}, "google": {"other": "ü"}}
    emulator.answer(emulated.tool_call("add", {}, extra=extra))
    message = llm.chat([user(TextBlock(text="Add."))]).message
    (sent,) = encode_messages([message])[0]["tool_calls"]
    assert sent["extra_content"] == extra


def test_results_of_a_lost_call_are_told_as_words():
    history = [user(TextBlock(text="Go.")), ChatMessage(role=MessageRole.ASSISTANT, content=""), result("c9", "Done.")]
    assert encode_messages(history)[-1] == {"role": "user", "content": "Done."}


def test_a_result_without_any_call_before_it_is_refused(llm, emulator):
    with pytest.raises(HistoryError, match="does not follow a message that calls a tool"):
        llm.chat([user(TextBlock(text="Go.")), result("c0")])
    assert not emulator.journal.chat


def test_a_call_without_result_is_refused(llm, emulator):
    with pytest.raises(HistoryError, match="has no result"):
        llm.chat([user(TextBlock(text="Go.")), calls(2), result("c0")])
    assert not emulator.journal.chat


def test_something_that_is_no_message_is_refused_with_the_form_to_pass(llm, emulator):
    for messages in ([{"role": "user", "content": "Hello"}], ["Hello"], user(TextBlock(text="Hello"))):
        with pytest.raises(UnsupportedContentError, match="ChatMessage"):
            llm.count_tokens(messages)
        with pytest.raises(UnsupportedContentError, match="ChatMessage"):
            llm.explain_request(messages)
        with pytest.raises(UnsupportedContentError, match="ChatMessage"):
            asyncio.run(llm.acount_tokens(messages))
    with pytest.raises(UnsupportedContentError, match="A message of type dict"):
        llm.chat([{"role": "user", "content": "Hello"}])
    assert not emulator.journal


def test_something_that_is_no_tool_is_refused(llm):
    with pytest.raises(SettingsError, match="A tool of type int"):
        llm.chat([user(TextBlock(text="Go."))], tools=[3])
    with pytest.raises(SettingsError, match=r"FunctionTool\.from_defaults"):
        llm.chat([user(TextBlock(text="Go."))], tools=[calls])


def test_tools_may_be_given_with_a_call_in_any_form(llm):
    def now() -> str:
        """Tell the time."""
        return "noon"

    tool = FunctionTool.from_defaults(now, name="the time, now")
    for form in (tool, tool.metadata.to_openai_tool()):
        response = llm.chat([user(TextBlock(text="Hello"))], tools=[form], tool_choice="required")
        expected = "the time, now" if form is tool else "the_time__now"
        assert [call.tool_name for call in llm.get_tool_calls_from_response(response)] == [expected]


def test_names_that_had_to_be_changed_come_back_and_go_out_changed(llm, emulator):
    tool = FunctionTool.from_defaults(lambda: "noon", name="the time, now", description="Tell the time.")
    first = llm.chat_with_tools([tool], "Hello", tool_choice="the time, now")
    (call,) = llm.get_tool_calls_from_response(first)
    assert call.tool_name == "the time, now"
    llm.chat_with_tools([tool], chat_history=[user(TextBlock(text="Hello")), first.message, result(call.tool_id)])
    assert emulator.journal.last.messages[1]["tool_calls"][0]["function"]["name"] == "the_time__now"
    assert emulator.journal.last.status == 200


def test_an_image_in_an_answer_is_a_block(build, emulator):
    llm = build("google/gemini-3-pro-image-preview")
    response = llm.chat([user(TextBlock(text="Paint a dot."))], modalities=["image"])
    (image,) = [block for block in response.message.blocks if isinstance(block, ImageBlock)]
    assert image.resolve_image().read() == PNG
    assert image.image_mimetype == "image/png"
    streamed = list(llm.stream_chat([user(TextBlock(text="Paint a dot."))], modalities=["image"]))[-1]
    assert [type(block) for block in streamed.message.blocks] == [type(block) for block in response.message.blocks]


def test_log_probabilities_are_told_where_a_model_has_them(build, emulator):
    token = {"token": "Yes", "logprob": -0.1, "bytes": [89], "top_logprobs": [{"token": "Yes", "logprob": -0.1}]}
    emulator.answer(
        emulated.completion(
            {
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": "Yes"},
                        "logprobs": {"content": [token]},
                    }
                ]
            }
        )
    )
    response = build("qwen/qwen3-next-80b-a3b-instruct-maas").chat([user(TextBlock(text="Hello"))], logprobs=True)
    assert response.logprobs[0][0].token == "Yes"


def test_calls_set_aside_are_told(llm, emulator):
    emulator.answer(emulated.tool_calls([("add", {"a": 1}), ("add", {"a": 2})]))
    tool = FunctionTool.from_defaults(lambda: "noon", name="add", description="Add.")
    raw = llm.chat_with_tools([tool], "Both.").raw
    assert [call["function"]["arguments"] for call in raw["dropped_tool_calls"]] == ['{"a": 2}']


def test_earlier_responses_of_a_stream_do_not_change_with_later_ones(llm, emulator):
    emulator.variant(arguments="fragments")
    emulator.answer(emulated.tool_calls([("add", {"a": "one", "b": "two"})], text="Let me see."))
    responses, texts = [], []
    for response in llm.stream_chat([user(TextBlock(text="Add."))]):
        responses.append(response)
        texts.append(response.model_dump_json())
    assert [response.model_dump_json() for response in responses] == texts
    blocks = [block for response in responses for block in response.message.blocks]
    assert len({id(block) for block in blocks}) == len(blocks)


def test_a_snapshot_has_one_text_however_many_pieces_it_is_made_of():
    accumulator, decoder = Accumulator(), ResponseDecoder(keep_answer_signature=True)
    for _ in range(2_000):
        delta = ReplyDelta(text="word ")
        response = decoder.decode_piece(accumulator.add(delta), delta)
        assert len(response.message.blocks) == 1
    assert response.message.content == "word " * 2_000


def test_pieces_of_calls_add_up():
    accumulator = Accumulator()
    accumulator.add(ReplyDelta(tool_calls=(ToolCallDelta(0, "c0", "add", '{"a"', {"google": {"x": 1}}),)))
    accumulator.add(ReplyDelta(tool_calls=(ToolCallDelta(1, "c1", "add", "{}"),)))
    accumulator.add(ReplyDelta(tool_calls=(ToolCallDelta(0, arguments=": 1}", extra={"google": {"y": 2}}),)))
    reply = accumulator.add(ReplyDelta(ending=Ending(finish_reason="tool_calls", usage=Usage(1, 2))))
    assert [(call.id, call.arguments) for call in reply.tool_calls] == [("c0", '{"a": 1}'), ("c1", "{}")]
    assert reply.tool_calls[0].extra == {"google": {"x": 1, "y": 2}}
    assert reply.ending.finish_reason == "tool_calls"
