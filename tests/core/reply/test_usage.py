"""Token counts of either way of counting add up."""

from vertex_compat_integrations.core.reply.usage import decode_usage


def test_no_counts_are_no_usage():
    assert decode_usage({}) is None
    assert decode_usage({"prompt_tokens": None, "total_tokens": 0}) is None


def test_thoughts_beside_the_completion_are_output():
    usage = decode_usage({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 18})
    assert usage is not None
    assert (usage.input, usage.output, usage.thought) == (3, 15, 10)


def test_thoughts_within_the_completion_are_counted_once():
    details = {"reasoning_tokens": 4}
    usage = decode_usage(
        {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8, "completion_tokens_details": details}
    )
    assert usage is not None
    assert (usage.input, usage.output, usage.thought) == (3, 5, 4)
