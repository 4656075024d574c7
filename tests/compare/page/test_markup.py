"""Text becomes HTML as text: escaped, and without characters that a browser obeys."""

from vertex_compat_integrations.compare.page.markup import Markup, element, escape


def test_text_is_never_markup():
    assert escape("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"
    assert element("p", "<i>", element("b", "&"), title='"><script>') == (
        '<p title="&quot;&gt;&lt;script&gt;">&lt;i&gt;<b>&amp;</b></p>'
    )
    assert isinstance(element("p"), Markup)


def test_what_turns_the_reading_direction_is_shown():
    assert escape("a\u202etxt.exe\u202c") == "a[U+202E]txt.exe[U+202C]"


def test_what_cannot_be_shown_is_replaced_and_what_letters_need_is_kept():
    assert escape("\x00\x1b[2J\ud800\x85") == "\ufffd\ufffd[2J\ufffd\ufffd"
    assert escape("👩\u200d💻\tक\u094d\u200cष\n") == "👩\u200d💻\tक\u094d\u200cष\n"
