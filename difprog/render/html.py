"""A report as one HTML file: the markdown's text and figures, and the inputs that make it again.

Nothing is fetched and nothing is run: styles and figures are inside, and a policy in the head forbids
the rest. Colours follow the reader's light or dark setting; print is black on white.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from difprog.base.errors import BadInput, Problem, plain
from difprog.render import figures, markdown

#: The element that carries the inputs, as `loaded` looks for it.
_CARRIER = '<script type="application/json" id="difprog-inputs">'

#: The element that carries a decision on a budget: the JSON of ``difprog allocate``.
DECISION = '<script type="application/json" id="difprog-decision">'

#: Colours of the figures, as matplotlib spells them → the page's.
_COLOURS = {
    "#000000": "var(--ink)", "#ffffff": "var(--paper)", "#dddddd": "var(--line)", "#9a9a9a": "var(--soft)",
    "#555555": "var(--faint)", "#0072b2": "var(--help)", "#d55e00": "var(--harm)",
}  # fmt: skip

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --line: #dddddd; --soft: #9a9a9a;
  --faint: #555555; --help: #0072b2; --harm: #d55e00; --band: #f4f4f2 }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e3; --paper: #16181a; --line: #3a3d40; --soft: #7c8084; --faint: #a8acb0;
    --help: #56b4e9; --harm: #f08a3c; --band: #202326 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 54rem; background: var(--paper);
  color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0 } h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem } p, ul, blockquote { margin: .5rem 0 }
blockquote { padding-left: .8rem; border-left: 3px solid var(--line); color: var(--faint) }
.wide { overflow-x: auto; margin: .8rem 0 } .figure, .figure svg { display: block; width: 100%;
  height: auto }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: normal } th { white-space: nowrap }
td:last-child { overflow-wrap: anywhere; min-width: 6rem }
code, pre { font: .875em ui-monospace, monospace; background: var(--band); padding: 0 .2em }
pre { padding: .6rem; white-space: pre-wrap } pre code { padding: 0 }
hr { border: 0; border-top: 1px solid var(--line); margin: 3rem 0 }
@media (max-width: 34rem) { th, td { padding: .2rem .35rem } th { white-space: normal }
  .figure svg { width: 100%; min-width: 21rem } }
@page { margin: 13mm }
@media print { body { max-width: none; padding: 0; font-size: 8.6pt; line-height: 1.28 }
  h1 { font-size: 14pt; margin: 0 } h2 { font-size: 11pt; margin: .5rem 0 .15rem }
  h3 { margin: .6rem 0 .2rem }
  p, ul, blockquote { margin: .25rem 0 } .wide { overflow: visible; margin: .3rem 0 }
  table { font-size: 7.8pt; line-height: 1.2 } th, td { padding: .05rem .5rem }
  .figure { float: right; width: 48%; margin: 0 0 2mm 4mm }
  hr ~ p .figure { float: none; width: auto; margin: .3rem 0 } hr ~ p .figure svg { max-height: 220mm }
  hr { break-after: page; border: 0; margin: 0 } h2, h3 { break-after: avoid }
  tr, .figure { break-inside: avoid } }
""".strip()


def page(content: Mapping[str, Any], carried: str) -> str:
    """Return the whole file of a proposal's report.

    Parameters
    ----------
    content : mapping
        What `difprog.render.explained.report` returns.
    carried : str
        The inputs as JSON, as `difprog.runs.carried.dumps` spells them.
    """
    # Where and how the page is made again is of this file, not of the folder that markdown needs.
    text = markdown.report({**content, "command": f"{content['command']} --html"})
    title = content["project"]["name"]
    return document(title, text, figures.figures(content), f"{_CARRIER}{carried}</script>")


def document(title: object, text: str, drawn: Mapping[str, bytes], carrier: str = "") -> str:
    """Return a file that shows markdown, its figures in their places.

    Parameters
    ----------
    title : object
        Of the window.
    text : str
        Markdown of this program's own.
    drawn : mapping of str to bytes
        File name → SVG.
    carrier : str
        An element of data to stand at the end.
    """
    import html

    inside = {name: _inline(data.decode(), name) for name, data in drawn.items()}
    return "\n".join(
        [
            "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">",
            '<link rel="icon" href="data:,">', f"<title>{html.escape(plain(title))}</title>",
            f"<style>\n{_STYLE}\n</style>",
            "</head>", "<body>", "<main>", _body(text, inside), "</main>", *([carrier] if carrier else []),
            "</body>", "</html>", "",
        ]
    )  # fmt: skip


def _body(text: str, drawn: Mapping[str, str]) -> str:
    """Return markdown as HTML, its figures in their places."""
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    def image(tokens: Sequence[Token], at: int, *_: object) -> str:
        name = str(tokens[at].attrs["src"]).rpartition("/")[2]
        return f'<span class="wide figure" tabindex="0">{drawn[name]}</span>'

    def table(*_: object) -> str:
        return '<div class="wide" tabindex="0"><table>\n'

    def end(*_: object) -> str:
        return "</table></div>\n"

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.renderer.rules.update(image=image, table_open=table, table_close=end)  # type: ignore[attr-defined]
    return str(parser.render(text)).strip()


def _inline(svg: str, name: str) -> str:
    """Return a figure to stand inside the page: in its colours, with names of its own."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    mark = name.partition(".")[0]
    svg = re.sub(r'\bid="', f'id="{mark}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{mark}-", svg)
    # A path with no paint of its own is black, whatever the page's ink is.
    svg = svg.replace("<svg ", '<svg fill="var(--ink)" ', 1)
    return re.sub(r"#[0-9a-fA-F]{6}\b", lambda found: _COLOURS.get(found[0].lower(), found[0]), svg)


def loaded(text: str, where: str) -> str:
    """Return the inputs that a page carries, as JSON.

    Raises
    ------
    BadInput
        Where it carries none.
    """
    _, found, rest = text.rpartition(_CARRIER)
    if not found:
        hint = "difprog report PROJECT --html makes one"
        raise BadInput(Problem(where, "", "carries no inputs: it is no report of this program", hint=hint))
    return rest.partition("</script>")[0]


def is_earlier(there: str, page: str) -> bool:
    """Whether a file is an earlier version of a page: of the same kind, and of the same title."""
    same = any(mark in there and mark in page for mark in (_CARRIER, DECISION))
    return same and _title(there) == _title(page)


def _title(text: str) -> str:
    return text.partition("<title>")[2].partition("</title>")[0]


__all__ = ["DECISION", "document", "is_earlier", "loaded", "page"]
