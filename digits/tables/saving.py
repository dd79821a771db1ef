"""Save a table as HTML, Markdown and LaTeX."""

from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype
from pandas.io.formats.style import Styler

#: A click on a heading sorts the rows by that column, a second one the other way round.
SORT = """
for (const head of document.querySelectorAll("thead th")) {
  head.style.cursor = "pointer";
  head.title = "sort";
  head.addEventListener("click", () => {
    const column = [...head.parentNode.children].indexOf(head);
    const body = head.closest("table").tBodies[0];
    const text = row => row.children[column].innerText;
    const order = head.dataset.order = head.dataset.order === "1" ? "-1" : "1";
    const compare = new Intl.Collator("en", {numeric: true}).compare;
    body.append(...[...body.rows].sort((a, b) => order * compare(text(a), text(b))));
  });
}
"""


def markdown(table: pd.DataFrame) -> str:
    """Return `table` as Markdown, an empty cell for what is not there."""
    align = ["right" if is_numeric_dtype(kind) else "left" for kind in table.dtypes]
    return _without_gaps(table).to_markdown(index=False, disable_numparse=True, colalign=align)


def save(table: pd.DataFrame, folder: Path, name: str, caption: str) -> Styler:
    """Write `table` to `folder` as name.html, name.md and name.tex; return it styled."""
    (folder / f"{name}.md").write_text(f"{markdown(table)}\n\n{caption}\n", encoding="utf-8")
    latex = _without_gaps(table).map(_latex).rename(columns=_latex).style.hide(axis="index")
    (folder / f"{name}.tex").write_text(
        latex.to_latex(hrules=True, caption=_latex(caption), label=f"tab:{folder.name}-{name}"),
        encoding="utf-8",
    )
    shown = styled(table, caption, name)
    page = shown.to_html(doctype_html=True, encoding="utf-8")
    page = page.replace("</body>", f"<script>{SORT}</script></body>")
    (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return shown


def styled(table: pd.DataFrame, caption: str, name: str) -> Styler:
    """Return `table` as a page or a notebook shows it: text left, numbers right, no index."""
    rules = [
        {"selector": "", "props": "border-collapse: collapse; font: 14px system-ui, sans-serif;"},
        {
            "selector": "th, td",
            "props": "padding: .25em .7em; text-align: left; white-space: nowrap;",
        },
        {"selector": "thead th", "props": "border-bottom: 1px solid #666;"},
        {
            "selector": "caption",
            "props": "caption-side: bottom; text-align: left; color: #555; padding-top: .6em;",
        },
    ]
    for place, kind in enumerate(table.dtypes):
        if is_numeric_dtype(kind):
            rules.append({"selector": f".col{place}", "props": "text-align: right;"})
    style = _without_gaps(table).style.hide(axis="index").set_caption(caption).set_uuid(name)
    return style.set_table_styles(rules)


def _without_gaps(table: pd.DataFrame) -> pd.DataFrame:
    return table.map(lambda cell: "" if pd.isna(cell) else cell)


def _latex(cell):
    if not isinstance(cell, str):
        return cell
    for character in "&%_#":
        cell = cell.replace(character, "\\" + character)
    return cell.replace("±", r"$\pm$").replace("≤", r"$\leq$")
