"""Labels in texts without borders: which row of a form the words before a number are, also where the label is wrapped
around its numbers or run together with the words above it. Looks at no value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors import forms
from extractors.labels import key, plain
from extractors.loose_lines import Token

NOTE = re.compile(r"[(\[][^()\[\]]*[)\]]")
_OPEN_NOTE = re.compile(r"[(](?![一二三四五六七八九十\d])[^()]*$")
NOT_WORD = re.compile(r"[^\w/]+|_")
_SHORTEST_ENDING = 5
"""A shorter label is not looked for at the end of longer words."""
_FOLLOWING = 12


def run_key(text: str) -> str:
    """Letters and digits of a run of label pieces, notes removed, also one whose end is wrapped away."""
    folded = plain(text)
    return NOT_WORD.sub("", _OPEN_NOTE.sub("", NOTE.sub("", folded)))


def wrapped_row(
    rows: forms.Labels, texts: Sequence[Token], before: str, after: Sequence[Token]
) -> tuple[tuple[str, ...], str]:
    """The row whose label is wrapped around its values: (meanings, what of the text after belongs to its label).

    before: the run of words before the values, what the row above used of it taken off.
    """
    following = run_key("".join([token.text for token in after[:_FOLLOWING]]))
    best: tuple[int, tuple[str, ...], str] = (0, (), "")
    for label, meanings in rows.meanings.items():
        if len(label) < forms.SHORTEST_BEGINNING:
            continue
        if before.endswith(label):
            best = max(best, (len(label), meanings, ""))
            continue
        for size in range(len(label) - 1, 1, -1):
            if before.endswith(label[:size]):
                ending = label[size:]
                if following.startswith(ending):
                    best = max(best, (len(label), meanings, ending))
                break
    if best[0]:
        return best[1], best[2]
    return (rows.find(key(texts[-1].text)) if texts else ()), ""


def statistic_of(
    texts: Sequence[Token], before: str, after: Sequence[Token]
) -> tuple[tuple[str, ...], str, bool]:
    """(rows of the statistics form the text ends in, what of the following text belongs to the label, only alike)."""
    words = forms.statistics()
    last = key(texts[-1].text) if texts else ""
    if exact := words.spelled.exact(last):
        return exact, "", False
    fitting = (k for k in words.spelled.meanings if len(k) >= _SHORTEST_ENDING and before.endswith(k))
    if ending := max(fitting, key=len, default=""):
        # 县政府网站公开政府信息数: a row of its own may stand beside the form's.
        return words.spelled.exact(ending), "", len(last) > len(ending)
    meanings, completed = wrapped_row(words.rows, texts, before, after)
    return meanings, completed, not completed
