"""The page that links every executed notebook with its figures, status and duration."""

import json
from pathlib import Path

import jinja2

from digits import paths


def write_index(profile: str) -> Path:
    """Write figures/<profile>/index.html from what each notebook left; return its path."""
    folder = paths.figures_dir() / profile
    notebooks = [
        json.loads(status.read_text(encoding="utf-8"))
        for status in sorted(folder.glob("*/status.json"))
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits", "."), autoescape=True, trim_blocks=True
    )
    page = environment.get_template("page.html").render(notebooks=notebooks, profile=profile)
    index = folder / "index.html"
    index.write_text(page, encoding="utf-8")
    return index
