"""The rules that read figures from prose, compiled from `forms/narrative.yml`. Knows words, reads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from extractors.forms import load

_FULL_WIDTH = dict(zip(map(ord, "０１２３４５６７８９％．"), "0123456789%.", strict=True))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of `forms/narrative.yml`, its word lists made into patterns."""

    indicator: str
    units: frozenset[str]
    cue: re.Pattern[str]
    phrases: re.Pattern[str]
    weaker: re.Pattern[str] | None
    weaker_unless: re.Pattern[str] | None
    weaker_units: frozenset[str]
    unless: re.Pattern[str]
    unless_told: re.Pattern[str] | None
    unless_follows: re.Pattern[str] | None
    one_of: re.Pattern[str] | None
    context: re.Pattern[str] | None
    chapters: frozenset[str]
    chapters_unless: re.Pattern[str] | None
    joint: re.Pattern[str] | None
    joint_phrases: re.Pattern[str] | None
    topic: str
    also_after: frozenset[str]
    channel: str
    may_be_part: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything of `forms/narrative.yml` that is not a rule of one indicator."""

    rules: tuple[Rule, ...]
    cues: re.Pattern[str]
    never: re.Pattern[str]
    other_period: re.Pattern[str]
    this_year: re.Pattern[str]
    comparison: frozenset[str]
    totals: re.Pattern[str]
    scopes: re.Pattern[str]
    parts: re.Pattern[str]
    some_office: re.Pattern[str]
    vague_after: tuple[str, ...]
    negated: re.Pattern[str]
    each: re.Pattern[str]
    topics: re.Pattern[str]
    topic_of: dict[str, str]
    chapter_topics: dict[str, str]
    channels: re.Pattern[str]
    channel_of: dict[str, str]
    several: re.Pattern[str]
    improves: re.Pattern[str]
    fold: dict[int, str]


@cache
def wording() -> Wording:
    """The rules of `forms/narrative.yml`, compiled once a process."""
    content = load("narrative")
    rules = tuple(_rule(rule, content["words"]) for rule in content["rules"])
    topic_of = {word: topic for topic, words in content["topics"].items() for word in words}
    channel_of = {word: channel for channel, words in content["channels"].items() for word in words}
    offices = "|".join(content["some_office"])
    return Wording(
        rules=rules,
        cues=_any({cue for rule in content["rules"] for cue in rule["cue"]}),
        never=_any(content["never"]),
        other_period=_any(content["other_period"]),
        this_year=_any(content["this_year"]),
        comparison=frozenset(content["comparison"]),
        totals=_any(content["totals"]),
        scopes=_any(content["scopes"]),
        parts=_any(content["parts"]),
        some_office=re.compile(rf"^(?:其中|由|各|、)?(?:{offices})"),
        vague_after=tuple(content["vague_after"]),
        negated=re.compile(rf"(?:{_alternatives(content['negations'])})[^，]{{0,4}}$"),
        each=_any(content["words"]["each"]),
        topics=_any(topic_of),
        topic_of=topic_of,
        chapter_topics=content["chapter_topics"],
        channels=_any(channel_of),
        channel_of=channel_of,
        several=_any(content["several"]),
        improves=_any(content["improves"]),
        fold=simplified() | _FULL_WIDTH,
    )


@cache
def simplified() -> dict[int, str]:
    """The simplified form of each traditional character that the words of prose and chapters have, for `str.translate`."""
    pairs = load("narrative")["traditional"]
    return {ord(pairs[i]): pairs[i + 1] for i in range(0, len(pairs), 2)}


def _rule(rule: dict[str, Any], words: dict[str, list[str]]) -> Rule:
    def phrases(name: str) -> re.Pattern[str] | None:
        return re.compile("|".join(_phrase(text, words) for text in rule[name])) if name in rule else None

    plain = phrases("phrases")
    assert plain is not None, rule["indicator"]
    return Rule(
        indicator=rule["indicator"],
        units=frozenset(rule["units"]),
        cue=_any(rule["cue"]),
        phrases=plain,
        weaker=phrases("weaker"),
        weaker_unless=_any(rule["weaker_unless"]) if "weaker_unless" in rule else None,
        weaker_units=frozenset(rule.get("weaker_units", rule["units"])),
        unless=_any(rule["unless"]),
        unless_told=_any(rule["unless_told"]) if "unless_told" in rule else None,
        unless_follows=phrases("unless_follows"),
        one_of=_any(rule["one_of"]) if "one_of" in rule else None,
        context=_any(rule["context"]) if "context" in rule else None,
        chapters=frozenset(rule.get("chapters", ())),
        chapters_unless=_any(rule["chapters_unless"]) if "chapters_unless" in rule else None,
        joint=re.compile(_phrase(rule["joint"], words)) if "joint" in rule else None,
        joint_phrases=phrases("joint_phrases"),
        topic=rule.get("topic", ""),
        also_after=frozenset(rule.get("also_after", ())),
        channel=rule.get("channel", ""),
        may_be_part=rule.get("parts", False),
    )


def _phrase(text: str, words: dict[str, list[str]]) -> str:
    """A phrase of the data file as a pattern: `{receive}…{request}{tail*}#`."""
    pattern = ""
    for piece in re.findall(r"\{\w+[*?]?\}|…|.", text):
        if piece == "…":
            pattern += "[^#]{0,40}?"
        elif piece.startswith("{") and len(piece) > 2:
            name = piece.strip("{}*?")
            repeat = {"*": "{0,12}+", "?": "?"}.get(piece[-2], "")
            pattern += f"(?:{_alternatives(words[name])}){repeat}"
        else:
            pattern += re.escape(piece)
    return pattern


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_alternatives(words))
