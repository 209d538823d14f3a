"""How the site is built: ``python tools/docs.py``; the pages are those of the repository, as they stand."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.builders.html import StandaloneHTMLBuilder

import difprog

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# The examples run under the beliefs that ship and with no settings of Jupyter's, whoever builds the site.
_home = Path(tempfile.mkdtemp(prefix="difprog-site-"))
atexit.register(shutil.rmtree, _home, ignore_errors=True)
for _name in ("DIFPROG_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
    os.environ[_name] = str(_home / _name.lower())
# A kernel warns that it is not encrypted, which between processes of one machine it need not be.
_kernel = _home / "ipythondir" / "profile_default" / "ipython_kernel_config.py"
_kernel.parent.mkdir(parents=True)
_kernel.write_text("c.IPKernelApp.log_level = 'ERROR'\n")

project = "difprog"
author = "the authors of difprog"
version = release = difprog.__version__
language = "en"

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_nb"]
root_doc = "README"
include_patterns = [
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "VOCABULARY.md", "docs/*.md",
    "docs/*.rst", "reports/*.md", "examples/first_screen.ipynb", "examples/own_model.py",
    "examples/budget.py",
]  # fmt: skip
#: What the menu holds, in order.
CONTENTS = {
    "Use": ("/docs/record", "/docs/evidence", "/VOCABULARY"),
    "Examples": ("/examples/first_screen", "/examples/budget", "/examples/own_model"),
    "Memos": ("/reports/reinforcement-learning-from-human-feedback", "/reports/agent-foundations"),
    "Understand": ("/docs/model", "/docs/beliefs", "/docs/claims", "/docs/choices", "/docs/hardness"),
    "Extend": ("/docs/own-model", "/docs/python", "/ARCHITECTURE", "/CONTRIBUTING", "/CHANGELOG"),
}  # fmt: skip

myst_heading_anchors = 4
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_show_tb = True

autodoc_typehints = "none"  # numpydoc says them in words
numpydoc_show_class_members = False
default_role = "autolink"

html_theme = "pydata_sphinx_theme"
html_title = "difprog"
html_copy_source = False
html_show_sphinx = False
html_sidebars = {"**": ["menu.html"]}
templates_path = ["templates"]
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_theme_options = {
    "navbar_start": ["navbar-logo"],
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
}


class Site(StandaloneHTMLBuilder):
    """HTML in which the README is the page that a folder opens with."""

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """Return a page's address."""
        return super().get_target_uri("index" if docname == root_doc else docname, typ)

    def get_output_path(self, page_name: str, /) -> Any:
        """Return a page's file."""
        return super().get_output_path("index" if page_name == root_doc else page_name)


def with_contents(_: Sphinx, docname: str, source: list[str]) -> None:
    """Give the README the menu, which it does not need where it is read as it stands."""
    if docname == root_doc:
        for caption, pages in CONTENTS.items():
            listed = "\n".join(pages)
            source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the above."""
    app.add_builder(Site, override=True)
    app.connect("source-read", with_contents)
