"""A file is written whole, or not at all; and only while it is Python."""

import pytest

from vertex_compat_integrations.cli.migrate.source import Edit, Source, decode, write_sound


def test_what_is_no_python_any_more_is_not_written(tmp_path):
    path = tmp_path / "app.py"
    path.write_text("x = 1\n")
    with pytest.raises(SyntaxError):
        write_sound(path, "x = (1\n", "utf-8")
    assert path.read_text() == "x = 1\n"
    assert [each.name for each in tmp_path.iterdir()] == ["app.py"]


def test_what_cannot_be_stored_leaves_the_file(tmp_path):
    path = tmp_path / "app.py"
    path.write_text("x = 1\n")
    with pytest.raises(UnicodeEncodeError):
        write_sound(path, "x = 'ü'\n", "ascii")
    assert path.read_text() == "x = 1\n"


def test_an_edit_inside_of_another_goes_with_it():
    source = Source("abc = [1, 2, 3]\n")
    edits = [Edit(7, 8, b"9"), Edit(6, 15, b"None"), Edit(0, 0, b"# x\n"), Edit(0, 3, b"d")]
    assert source.edited(edits) == "# x\nd = None\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_places_are_those_of_the_parser(ends):
    text = ends.join(["x = 'ü€😀\x0c\x85\u2028'", "\ty = 2  # ü".strip(), "zz = 3", ""])
    source = Source(text)
    last = source.tree.body[-1]
    assert source.text_of(source.start(last), source.end(last)) == "zz = 3"
    assert source.token_after(source.start(last)).text == "zz"


def test_an_encoding_is_read_from_the_file():
    assert decode(b"# coding: latin-1\nx = '\xe9'\n").text.endswith("'\N{LATIN SMALL LETTER E WITH ACUTE}'\n")
    with pytest.raises(SyntaxError):
        decode(b"x = '\xe9'\n")
