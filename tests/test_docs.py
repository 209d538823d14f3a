"""What checks the built site finds links that lead nowhere, and what a page needs from a network."""

from __future__ import annotations

from pathlib import Path

from tools.docs import from_a_network, problems

GOOD = '<h2 id="there">There</h2><a href="other.html#here">o</a><a href="#there">t</a><a href="https://example.org">e</a>'


def test_links_are_followed_to_the_place_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "other.html").write_text('<p id="here">Here</p><a href="index.html">back</a>')
    (tmp_path / "site.css").write_text("a { background: url(arrow.svg) }")
    assert not [*problems(tmp_path), *from_a_network(tmp_path)]
    (tmp_path / "other.html").write_text(
        '<a href="none.html">n</a><img src="none.svg"><a href="index.html#nowhere">p</a>'
        '<script src="https://example.org/a.js"></script><link rel="stylesheet" href="//example.org/a.css">'
        '<link rel="canonical" href="https://example.org/">'
    )
    (tmp_path / "site.css").write_text("@import 'https://example.org/font.css';")
    found = [*problems(tmp_path), *from_a_network(tmp_path)]
    wrong = ("none.html", "none.svg", "index.html#nowhere", "a.js", "org/a.css", "font.css", "#here")
    for piece in wrong:
        assert sum(piece in line for line in found) == 1, piece
    assert len(found) == len(wrong)
