"""What others send, on the user's screen."""


def printable(text: str) -> str:
    """The text with control characters shown, not obeyed: whoever asks may put some into a path."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
