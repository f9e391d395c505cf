"""How Sphinx makes the pages: `make docs` writes them to out/docs. Nothing is fetched, no warning is let pass."""

from autograder import __version__

project = "autograder"
author = "the course's authors"
release = __version__
language = "en"
html_title = f"autograder {__version__}"

extensions = ["myst_parser"]
myst_heading_anchors = 3  # links to headings are checked
myst_links_external_new_tab = False
exclude_patterns = ["pictures"]
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
highlight_language = "none"
nitpicky = True
