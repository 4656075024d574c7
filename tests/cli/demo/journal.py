"""Parts of the journal's requests, to be tampered with."""


def messages_of(entries):
    return [message for entry in entries for message in entry.messages]


def calls_of(entries):
    return [call for message in messages_of(entries) for call in message.get("tool_calls") or ()]


def flip_signature(extra):
    signature = extra["google"]["thought_signature"]
    extra["google"]["thought_signature"] = ("A" if signature[0] != "A" else "B") + signature[1:]
