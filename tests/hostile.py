"""Texts that a hostile proposal could hold, for every writer of markup to survive."""

from __future__ import annotations

from hypothesis import strategies as st

HOSTILE = (
    "<script>alert(1)</script>", "a | b || c", "`code` ``` fence", "[link](javascript:alert(1))",
    "![x](https://example.org/x.png)", "https://example.org/?a=1", "www.example.org", "me@example.org",
    "../../etc/passwd", "# heading\n\n## two", "line\r\nbreak | x", "&lt;b&gt; &#60;",
    "*bold* _under_ ~~gone~~",
    "\\", "ends in backslash \\", "\\| \\\\|", "- item\n- item", "1. one", "> quote", "---", "===", "$x^2$",
    ":smile:", "@someone", "<!-- comment", "]]>", "</desc><script/>", "\x1b[31mred", "\u202ereversed",
    "<https://example.org>", "[ref]: https://example.org", "| --- | --- |", "", "   ", "\u0000", "😀 ∞ é",
    "ftp://example.org", "mailto:a@b.example", "[^1]", "<img src=x onerror=alert(1)>", "$\\frac{1}{2}$",
)  # fmt: skip

#: Any text, rich in what markdown and HTML give a meaning to.
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet="ab1 \n\t\\`*_[](){}<>&!|~#$:.@/'\"+-=^,;wtp", max_size=40),
    st.text(max_size=40),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=3).map(" ".join),
)
