"""What a printed value says: a number in the stored unit, or why it is none. Never guesses a unit or a digit.

Only a printed number is a number: blanks, dashes and 无 are kinds of their own, never zero.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

LONGEST_VALUE = 80
LARGEST = Decimal(10) ** 15
"""Larger values do not fit DECIMAL(20,4) and are no count of anything a report tells."""

_TWO_NUMBERS = re.compile(r"[^(（\[【]*\d\s*\n\s*[\d.,]")
_DASH = re.compile(
    r"[/\\\-—–―─_一~·.*]+|无|無|没有|暂无|无数据|无此项|空|不涉及|未涉及|未发生|不适用|[Nn]/?[Aa]", re.ASCII
)
_PLAIN = r"(?P<digits>\d{1,3}(?:,\d{3})+|\d{1,15})(?P<fraction>\.\d{1,8})?"
_COUNTER = r"(?:余|多)?(?:件|条|项|次|个|人|宗|份|篇|起|部|家|例|人次|批|期|场|名|处)*"
_NOTE = r"(?P<note>[(\[【].*|[*※]+)?"
_COUNT = re.compile(rf"(?:共|计)?{_PLAIN}(?P<multiplier>[万亿])?{_COUNTER}{_NOTE}", re.DOTALL)
_CHANGE = re.compile(
    rf"(?P<sign>[+\-–—]|(?:净?增加?|新增)[:+]?|净?减少?[:\-]?|↑|↓)?{_PLAIN}{_COUNTER}{_NOTE}", re.DOTALL
)
_AMOUNT = re.compile(
    rf"(?:共|合计)?(?:人民币|¥|¥|RMB)?{_PLAIN}(?P<multiplier>百万|千万|[万亿千])?(?P<yuan>余?元)?(?:人民币|整)?{_NOTE}",
    re.DOTALL,
)
_UNIT = re.compile(r"(百万|千万|[万亿千])?元")
# What stands before a unit must be what forms print there: 总金额（万元）, 单位：元; after a damaged character it is none.
_UNIT_IN_LABEL = re.compile(r"(?:^|[(\[:,、;位额額])((?:百万|千万|[万亿千])?元)")
_TIMES = {None: 1, "": 1, "千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_UNIT_IN_NOTE = re.compile(r"[(\[【](?:单位:?)?((?:百万|千万|[万亿千])?元)[)\]】]")
_NEGATIVE = ("-", "–", "—", "↓", "减", "净减")
_FOOTNOTE = re.compile(r"(?<=\S)[⁰-⁹²³¹①-⑳]+\s*$")
"""Marks of footnotes behind a number: NFKC would make digits of the number out of them."""
_MARK = re.compile(r"[⁰-⁹²³¹①-⑳]")
_VALUE_LIKE = re.compile(
    r"(?:[+\-±↑↓–—]|(?:净?增加?|新增)[:+]?|净?减少?[:\-]?|约|近|共|¥|人民币)?[\d,.]*\d(?:百万|千万|[万亿千])?(?:余|多)?"
    rf"元?{_COUNTER}(?:[(\[【].{{0,60}}|[*※]+)?",
    re.DOTALL,
)


def unit_of_label(label: str) -> str:
    """The money unit a header names: 采购总金额（万元） → 万元; "" when it names none."""
    found = _UNIT_IN_LABEL.search(_fold(label))
    return found[1] if found else ""


_UNITS = frozenset(
    [
        "件",
        "条",
        "次",
        "个",
        "人",
        "人次",
        "万元",
        "元",
        "份",
        "篇",
        "起",
        "宗",
        "场",
        "期",
        "处",
        "部",
        "项",
        "名",
    ]
)


def unit_of(text: str) -> str:
    """The unit that a cell of the statistics form's unit column names, — for its dashes; "" for anything else."""
    if len(text) > LONGEST_VALUE:
        return ""
    folded = _fold(text).strip("()[]{}:")
    if folded in _UNITS:
        return folded
    return "—" if folded and not folded.strip("-—―–") else ""


def is_value_like(text: str) -> bool:
    """Whether a cell's text can stand where a form wants a value: blank, dash or a number with its unit."""
    return len(text) <= LONGEST_VALUE and _is_value_like(text)


@lru_cache(maxsize=16384)
def _is_value_like(text: str) -> bool:
    folded = _fold(text)
    if folded == "一":  # a dash where a value stands, but a numeral or a broken label elsewhere
        return False
    return not folded or bool(_DASH.fullmatch(folded)) or bool(_VALUE_LIKE.fullmatch(folded))


def has_digit(text: str) -> bool:
    """Whether a text holds a digit, full-width ones included."""
    return any("0" <= character <= "9" or "０" <= character <= "９" for character in text)


def read_value(printed: str, unit_text: str, kind: str) -> tuple[Decimal | None, str]:
    """(value in the stored unit, value_kind) of a table cell.

    kind: `count`, `stock`, `change` or `amount` as in indicators.csv; amounts come out in yuan.
    value_kind: `number`, `blank`, `dash`, `text` (something else is printed), `unit_unknown` (an amount other than
    zero without a unit in cell or header). Counts are whole and not negative; anything else is `text`.
    """
    if len(printed) > 4 * LONGEST_VALUE:
        return None, "text"
    return _read_value(printed, unit_text, kind)


@lru_cache(maxsize=16384)
def _read_value(printed: str, unit_text: str, kind: str) -> tuple[Decimal | None, str]:
    folded = _fold(printed)
    if not folded:
        return None, "blank"
    if _DASH.fullmatch(folded):
        return None, "dash"
    if "\n" in printed.strip() and _TWO_NUMBERS.match(printed):
        # Two numbers in one cell, one under the other: whose they are is not told.
        return None, "text"
    if kind == "amount":
        return _read_amount(folded, unit_text)
    found = (_CHANGE if kind == "change" else _COUNT).fullmatch(folded)
    if not found:
        return None, "text"
    value = _decimal(found)
    if kind == "change":
        said = found["sign"] or (found["note"] or "").strip("()[]【】")
        if value and not found["sign"] and said.startswith("减") and said not in ("减", "减少"):
            return None, "text"  # 5（减少2项）: the number's own sign is not told
        value = -value if said.startswith(_NEGATIVE) else value
    else:
        value *= _TIMES[found["multiplier"]]
    if value != value.to_integral_value() or abs(value) >= LARGEST:
        return None, "text"
    return value.quantize(Decimal(1)), "number"


def _read_amount(folded: str, unit_text: str) -> tuple[Decimal | None, str]:
    found = _AMOUNT.fullmatch(folded)
    if not found:
        return None, "text"
    value = _decimal(found)
    if value == 0:
        return Decimal(0), "number"
    multiplier = found["multiplier"]
    if not multiplier and not found["yuan"]:
        own = _UNIT_IN_NOTE.fullmatch(found["note"] or "")
        unit = _UNIT.fullmatch(own[1] if own else unit_text)
        if not unit:
            return None, "unit_unknown"
        multiplier = unit[1]
    value *= _TIMES[multiplier]
    if value >= LARGEST:
        return None, "text"
    # Four decimals are stored; a printed value finer than that would be changed by storing it.
    if value != round(value, 4):
        return None, "text"
    return value, "number"


def _decimal(found: re.Match[str]) -> Decimal:
    return Decimal(found["digits"].replace(",", "") + (found["fraction"] or ""))


def _fold(text: str) -> str:
    if not text.isascii():
        text = _MARK.sub("※", _FOOTNOTE.sub("", text))
    folded = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    return re.sub(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]+", "", folded)


_SIGNS = str.maketrans(
    {"−": "-", "﹣": "-", "‐": "-", "‑": "-", "，": ","}
    | {
        "萬": "万",
        "億": "亿",
        "無": "无",
        "減": "减",
        "淨": "净",
        "條": "条",
        "項": "项",
        "個": "个",
        "幣": "币",
    }
)


def read_prose_value(printed: str, unit_text: str, kind: str) -> tuple[Decimal | None, str]:
    """(value, value_kind) of a number told in prose: Chinese numerals and approximations (260余, 约2.2万) are read.

    value_kind is `approximate` for a number the text itself calls so.
    """
    from extractors.chinese_numerals import to_number

    found = to_number(printed)
    if found is None:
        return read_value(printed, unit_text, kind)
    value, is_approximate = found
    if kind == "amount" and value:
        unit = _UNIT.fullmatch(unit_text)
        if not unit:
            return None, "unit_unknown"
        value *= _TIMES[unit[1]]
    elif kind != "amount" and (value != value.to_integral_value() or value < 0):
        return None, "text"
    if abs(value) >= LARGEST or value != round(value, 4):
        return None, "text"
    return value, "approximate" if is_approximate else "number"
