"""Reads one numeral as Chinese prose prints it: 十二, 两千三百, 2.2万, 1,619, 约1.8亿, 260余, 近百.

Reads a numeral only when nothing else stands in the text and it can mean one number. Never reads ranges
(三四十, 10至20), ordinals (第三), percentages, dates or vague quantities (数百, 若干); takes no unit off.
"""

from __future__ import annotations

import re
from decimal import Decimal

LONGEST = 40
"""Characters examined at most: no numeral in a report is longer, a hostile text may be."""

LARGEST = Decimal(10) ** 15
"""Numbers from here on are refused: they do not fit the column of values and are no count a report tells."""

_TO_SIMPLE = str.maketrans(
    "〇○零壹贰叁肆伍陆柒捌玖拾佰仟萬億两兩貳陸參", "零零零一二三四五六七八九十百千万亿二二二六三"
)
_HALF_WIDTH = str.maketrans("０１２３４５６７８９，．＋－\u3000", "0123456789,.+- ")
_PREFIX = "大约为?|大概|约为?|将近|接近|近|超过|超|突破|不少于|不低于|不足|不到|至少|逾|[上过](?=[百千万亿])"
_SUFFIX = "余|多|来|左右|以上|上下"
_DIGITS = r"\d{1,3}(?:[,，]\d{3}){1,4}|\d{1,3}(?:[ \u00a0]\d{3}){1,4}|\d{1,15}"
_UNITS = "万亿|千亿|百亿|十亿|亿|千万|百万|十万|万|千|百"

_ARABIC = re.compile(
    rf"(?P<prefix>{_PREFIX})?\s?(?P<sign>[+-])?(?P<integer>{_DIGITS})(?:\.(?P<fraction>\d{{1,8}}))?\s?"
    rf"(?P<inner>[余多来])?(?P<unit>{_UNITS})?(?P<suffix>{_SUFFIX})?",
    re.ASCII,
)
_CHINESE = re.compile(
    rf"(?P<prefix>{_PREFIX})?(?P<integer>[零一二三四五六七八九十百千万亿]{{1,36}})(?:点(?P<fraction>[零一二三四五六七八九]{{1,8}}))?"
    rf"(?P<inner>[余多来])?(?P<unit>{_UNITS})?(?P<suffix>{_SUFFIX})?"
)
_SCALE = {
    unit: Decimal(10) ** sum({"十": 1, "百": 2, "千": 3, "万": 4, "亿": 8}[character] for character in unit)
    for unit in _UNITS.split("|")
}
_CHINESE_DIGIT = {character: str(value) for value, character in enumerate("零一二三四五六七八九")}


def to_number(text: str) -> tuple[Decimal, bool] | None:
    """The number a numeral means and whether it is said to be approximate; None when it is not one numeral.

    `18余万` and `18万余` are (180000, True), `近百` is (100, True), `十二` is (12, False). Any input is
    answered within a fixed time: texts longer than `LONGEST` are not numerals.
    """
    if len(text) > LONGEST:
        return None
    folded = text.translate(_HALF_WIDTH).strip()
    if match := _ARABIC.fullmatch(folded):
        integer = re.sub(r"\D", "", match["integer"])
        number = Decimal(f"{match['sign'] or ''}{integer}.{match['fraction'] or '0'}")
        return _scaled(number, match)
    folded = folded.translate(_TO_SIMPLE).replace("廿", "二十").replace("卅", "三十")
    match = _CHINESE.fullmatch(folded)
    if match is None:
        return None
    is_vague = bool(match["prefix"] or match["inner"] or match["suffix"])
    whole = _chinese_integer(match["integer"], may_be_bare=is_vague)
    if whole is None:
        return None
    fraction = "".join(_CHINESE_DIGIT[character] for character in match["fraction"] or "零")
    return _scaled(Decimal(f"{whole}.{fraction}"), match)


def _scaled(number: Decimal, match: re.Match[str]) -> tuple[Decimal, bool] | None:
    """Multiply by 万, 亿 …; whole numbers lose their decimal point so that 2.2万 is 22000."""
    if match["unit"]:
        number *= _SCALE[match["unit"]]
    if abs(number) >= LARGEST:
        return None
    if number == number.to_integral_value():
        number = number.to_integral_value()
    return number, bool(match["prefix"] or match["inner"] or match["suffix"])


def _chinese_integer(text: str, may_be_bare: bool) -> int | None:
    """Value of an integer in simple Chinese characters; None unless that is how the number is written.

    The library reads generously (三五 as 35, 一百零 as 100), so its answer is written out again and must give
    the same text. A bare 百 or 千 is a number only where the text is vague anyway (近百, 上千).
    """
    import cn2an  # here, not above: importing it costs a tenth of a second, most documents never need it

    if text in _SCALE and may_be_bare:
        return int(_SCALE[text])
    if "零" in text and len(text) > 2 and set(text) <= set(_CHINESE_DIGIT):
        return int("".join(_CHINESE_DIGIT[character] for character in text))
    try:
        value = int(cn2an.cn2an(text, "normal"))
        written = cn2an.an2cn(value).replace("一十", "十")
    except (ValueError, KeyError):  # KeyError is the library's answer to unit orders it does not know
        return None
    plain = text.replace("一十", "十")
    # 一万二 and 三百五 leave out the last unit, which can only be the next lower one.
    return value if written in (plain, plain + "十", plain + "百", plain + "千") else None
