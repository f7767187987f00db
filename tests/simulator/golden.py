"""`python -m tests.simulator.golden FOLDER`: draws the files of the golden pairs that are not there yet.

One file a layout; the forms take turns. A file once committed is never drawn again: delete it first.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.simulator import render_files, render_html, render_text
from tests.simulator.agencies import pick_agencies
from tests.simulator.figures import CHANGES, FORMS, UNITS, Habits, make_report
from tests.simulator.noise import Noise
from tests.simulator.render_text import Rendered

NOISE = Noise(spaces=0.1, breaks=0.3, misprints=0.2)
YEARS = {"2014": 2017, "2019": 2019, "2021": 2022, "mixed": 2021}


def drawings() -> dict[str, Rendered]:
    """File name without ending → the report in its layout."""
    drawn: dict[str, Rendered] = {}
    names = [
        *(f"text_{layout}" for layout in render_text.LAYOUTS),
        *(f"html_{style}" for style in render_html.STYLES),
        *("pdf_ruled", "pdf_unruled", "docx", "xlsx"),
    ]
    for number, name in enumerate(names):
        form = FORMS[number % len(FORMS)]
        habits = Habits(
            scale=(8, 60, 900)[number % 3],
            blank=(0.0, 0.03)[number % 2],
            change=CHANGES[number % len(CHANGES)],
            amount=UNITS[number % len(UNITS)],
        )
        report = make_report(number, form, pick_agencies(number, 1)[0], YEARS[form], habits)
        kind, _, layout = name.partition("_")
        if kind == "text":
            drawn[name] = render_text.render_text(report, layout, NOISE, number)
        elif kind == "html":
            charset = tuple(render_html.ENCODINGS)[number % len(render_html.ENCODINGS)]
            drawn[name] = render_html.render_html(report, render_html.STYLES[layout], NOISE, number, charset)
        elif kind == "pdf":
            drawn[name] = render_files.render_pdf(report, layout == "ruled", NOISE, number)
        elif kind == "docx":
            drawn[name] = render_files.render_docx(report, NOISE, number)
        else:
            drawn[name] = render_files.render_xlsx(report, NOISE, number)
    return drawn


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    new = 0
    for name, rendered in drawings().items():
        path = folder / (name + rendered.suffix)
        if not path.exists():
            path.write_bytes(rendered.content)
            new += 1
    print(f"{new} files drawn, {len(list(folder.glob('*')))} in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
