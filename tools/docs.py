"""Build the documentation site in build/site: ``python tools/docs.py``, with the extra "docs" installed.

The pages are the README and what it links to, with the examples, which are run, and what Python users
call. Warnings are errors. Afterwards every link of every page is followed: within the site it must lead to
a page and a place on it, and nothing that a page needs to be shown may come from a network.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent

#: Attributes that make a browser fetch something at once, and of which elements.
FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}
#: Relations of links that fetch nothing.
QUIET = {"canonical", "index", "search", "next", "prev", "genindex"}


class Page(HTMLParser):
    """What a page links to, what it needs to be shown, and the places on it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.needs: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.places |= {said[name] for name in ("id", "name") if name in said}
        for name, value in said.items():
            if (tag, name) in FETCHED and said.get("rel") not in QUIET:
                self.needs.append(value)
            elif name == "href":
                self.links.append(value)


def problems(site: Path) -> Iterator[str]:
    """Yield every link of a built site that leads nowhere, and everything it needs from a network."""
    found = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    pages = {path: Page(path) for path in found}
    for path, page in pages.items():
        where = path.relative_to(site)
        for target in (*page.links, *page.needs):
            parts = urlsplit(target)
            if parts.scheme in ("http", "https") or parts.netloc:
                if target in page.needs:
                    yield f"{where}: is not shown without a network: {target}"
                continue
            if parts.scheme in ("mailto", "data"):
                continue
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not aim.is_file():
                yield f"{where}: leads nowhere: {target}"
            elif parts.fragment and aim in pages and unquote(parts.fragment) not in pages[aim].places:
                yield f"{where}: no such place on the page: {target}"


def from_a_network(site: Path) -> Iterator[str]:
    """Yield every style sheet that fetches something from a network."""
    fetched = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")
    for sheet in sorted(site.rglob("*.css")):
        for address in fetched.findall(sheet.read_text("utf-8")):
            yield f"{sheet.relative_to(site)}: fetches {address}"


def main() -> int:
    """Build and check; return the exit status."""
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
    site = build / "site"
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-c", str(ROOT / "docs")]
    built = subprocess.run([*sphinx, "-d", str(build / "doctrees"), str(ROOT), str(site)], check=False)
    found = [*problems(site), *from_a_network(site)] if built.returncode == 0 else []
    for line in found:
        print(line, file=sys.stderr)
    if built.returncode == 0 and not found:
        print(f"{site / 'index.html'}: no warning, and every link leads somewhere")
    return built.returncode or bool(found)


if __name__ == "__main__":
    sys.exit(main())
