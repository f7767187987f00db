"""What hands and converters do to labels: spaces, line breaks, misprints, punctuation, instructions.

Only labels and headers are touched, never a value; every change has been seen in print.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from opencc import OpenCC

from tests.simulator.form_tables import CORRECTION_OVERDUE, FEE_OVERDUE, FormTable, Row, Slot

MISPRINTS = {
    "2.其他法律行政法规禁止公开": ("2.其他法律行政止公开",),
    "现行有效件数": ("现行有效件",),
    "本年增/减": ("本年增/", "本年增／减"),
    "采购项目数量": ("采购项目数",),
    "第二十条第（五）项": ("第二十条(五)项",),
    "行政规范性文件": ("规范性文件",),
    "规范性文件": ("行政规范性文件",),
    CORRECTION_OVERDUE: (
        "1.逾期不补正",
        CORRECTION_OVERDUE.replace("、", "，"),
        CORRECTION_OVERDUE.replace("、", ","),
    ),
    FEE_OVERDUE: (FEE_OVERDUE.replace("、", "，"), FEE_OVERDUE.replace("、", ",")),
}
BREAKS = {
    "本年新制作数量": "本年新\n制作数量",
    "本年新公开数量": "本年新\n公开数量",
    "社会公益组织": "社会公\n益组织",
    "商业企业": "商业\n企业",
    "法律服务机构": "法律服\n务机构",
    "三、本年度办理结果": "\n".join("三、本年度办理结果"),
    "结果维持": "结果\n维持",
    "未经复议直接起诉": "未经复议\n直接起诉",
}
INSTRUCTIONS = {
    "规章": "规章（指2021年1月1日以后制发并公开的部门规章、地方政府规章，不含行政规范性文件）",
    "一、本年新收政府信息公开申请数量": (
        "一、本年新收政府信息公开申请数量（填写当年1月1日至12月31日收到的申请，"
        "不含上年结转政府信息公开申请数量）"
    ),
    "（一）予以公开": "（一）予以公开（含第（二）项以外全部公开的，1件计1次）",
    "行政许可": "行政许可（不含行政处罚、行政强制，按2020年办结数填写）",
}
_HALF_WIDTH = str.maketrans("（）：，．；“”", '():,.;""')
_TRADITIONAL = OpenCC("s2t")
LAW = "《中华人民共和国政府信息公开条例》"


@dataclass(frozen=True, slots=True)
class Noise:
    """Probabilities, each of one label, and habits of a whole report."""

    spaces: float = 0.0
    breaks: float = 0.0
    misprints: float = 0.0
    half_width: bool = False
    instructions: bool = False
    law_name: bool = False
    same_headers: bool = False
    local_row: bool = False
    traditional: bool = False


QUIET = Noise()


def _spaced(rng: Random, text: str) -> str:
    """Spaces between two Chinese characters, as justified or converted text has them."""
    letters = []
    for place, letter in enumerate(text):
        letters.append(letter)
        follows = text[place + 1 : place + 2]
        if "一" <= letter <= "鿿" and "一" <= follows <= "鿿" and rng.random() < 0.4:
            letters.append(rng.choice((" ", "  ", "\u3000")))
    return "".join(letters)


def _label(rng: Random, text: str, role: str, noise: Noise) -> str:
    bare = text
    if rng.random() < noise.misprints and bare in MISPRINTS:
        text = rng.choice(MISPRINTS[bare])
    elif noise.instructions and bare in INSTRUCTIONS:
        text = INSTRUCTIONS[bare]
    elif rng.random() < noise.breaks and bare in BREAKS:
        text = BREAKS[bare]
    if role == "section" and noise.law_name and text.startswith("第二十条"):
        text = LAW + text
    if noise.traditional:
        text = _TRADITIONAL.convert(text)
    if rng.random() < noise.spaces:
        text = _spaced(rng, text)
    return text.translate(_HALF_WIDTH) if noise.half_width else text


def _same_headers(rows: list[Row]) -> None:
    """本年新制作数量 printed over both columns: only their order tells them apart."""
    for row in rows:
        texts = [slot.text for slot in row]
        if "本年新制作数量" in texts and "本年新公开数量" in texts:
            place = texts.index("本年新公开数量")
            row[place] = replace(row[place], text="本年新制作数量")


def _local_row(rows: list[Row]) -> None:
    """A row of the agency's own below the statutory ones; it belongs to no indicator."""
    for place, row in enumerate(rows):
        if row[0].text.endswith("规范性文件"):
            values = [Slot(text, "filler") for text in ("7", "7", "31")]
            rows.insert(place + 1, [Slot("其他主动公开文件", "filler"), *values])
            return


def noisy(tables: list[FormTable], rng: Random, noise: Noise) -> list[FormTable]:
    """The same tables with labels as a hand or a converter left them."""
    changed = []
    for table in tables:
        rows = [list(row) for row in table.rows]
        if noise.same_headers:
            _same_headers(rows)
        if noise.local_row and table.name == "proactive":
            _local_row(rows)
        rows = [
            [
                slot
                if slot.role in ("value", "filler")
                else replace(slot, text=_label(rng, slot.text, slot.role, noise))
                for slot in row
            ]
            for row in rows
        ]
        changed.append(replace(table, rows=rows))
    return changed
