"""The page that links every executed notebook with its figures, status and duration."""

import json
from pathlib import Path

import jinja2


def write_index(folder: Path) -> Path:
    """Write index.html in `folder` from what each notebook left there; return its path."""
    notebooks = [
        json.loads(status.read_text(encoding="utf-8"))
        for status in sorted(folder.glob("*/status.json"))
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits", "."), autoescape=True, trim_blocks=True
    )
    page = environment.get_template("page.html").render(notebooks=notebooks, profile=folder.name)
    index = folder / "index.html"
    index.write_text(page, encoding="utf-8")
    return index
