"""Made-up yearly reports with every figure known: valid by the forms' arithmetic, or broken where planted.

The truth of a cell is the number in the stored unit (yuan for amounts), or None where the report prints no
number or one whose unit nobody can know. Never reads a report, nor looks at how the project reads one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from extractors.records import APPLICANTS
from tests.simulator import printing
from tests.simulator.agencies import Agency

Key = tuple[str, str | None]
"""(indicator, applicant); applicant is None outside the requests table."""

KINDS = APPLICANTS[:-1]
FORMS = ("2014", "2019", "2021", "mixed")
"""Forms with tables; `2008` is prose alone."""


def _names(text: str) -> list[str]:
    return text.split()


REFUSED = _names(
    """state_secret other_law security_stability third_party internal_affairs process enforcement_file
    administrative_query"""
)
NOT_PROVIDED = _names("not_held needs_creation still_unclear")
NOT_PROCESSED = _names("complaint repeat publication excessive confirm_or_reissue")
OTHER = _names("correction_overdue fee_overdue remaining")
RESULTS = _names("upheld corrected other pending")
GROUPS = ("review", "litigation.direct", "litigation.after_review")

_COMMON_OUTCOMES = [
    "requests.granted",
    "requests.partly_granted",
    *(f"requests.refused.{name}" for name in REFUSED),
    *(f"requests.not_provided.{name}" for name in NOT_PROVIDED),
    *(f"requests.not_processed.{name}" for name in NOT_PROCESSED),
]


def outcomes(form: str) -> list[str]:
    """The rows of the requests table that sum up to `requests.handled`."""
    if form in ("2019", "mixed"):
        return [*_COMMON_OUTCOMES, "requests.other"]
    return [*_COMMON_OUTCOMES, *(f"requests.other.{name}" for name in OTHER)]


ITEMS = ("licensing", "other_services", "penalties", "coercion", "fees")
AMOUNTS = tuple(
    _names(
        """proactive.fees.amount proactive.procurement.amount statistics.request_fees
        statistics.resources.budget narrative.request_fees"""
    )
)

_SUMS_2014 = {
    "requests.received": "in_person fax online letter",
    "requests.completed": "on_time extended",
    "requests.answered.refused": """state_secret trade_secret privacy security_stability
        not_government_information other_law""",
    "requests.answered": """already_public granted partly_granted refused not_this_organ not_existing
        correction_asked other_channel""",
    "review": "upheld corrected other",
    "litigation": "upheld corrected other",
    "resources.staff": "full_time part_time",
}


def _subtotal(name: str) -> str:
    return f"statistics.{name}.total" if name in ("review", "litigation") else f"statistics.{name}"


SUMS_2014 = {
    _subtotal(name): [f"statistics.{name}.{part}" for part in _names(parts)]
    for name, parts in _SUMS_2014.items()
}
"""S.sums: a subtotal and its parts; a subtotal that is itself a part stands before the one it is part of."""

_LOOSE_2014 = [
    f"statistics.{name}"
    for name in _names(
        """published.items published.normative_documents normative_documents_made channels.gazette
        channels.website channels.weibo channels.wechat channels.other response.hot_topics
        response.press_conferences response.press_conferences_by_head response.online_interviews
        response.online_interviews_by_head response.policy_explanations response.social_media response.other
        complaints resources.offices resources.reading_points training.meetings training.courses
        training.participants"""
    )
]


@dataclass(frozen=True, slots=True)
class Printed:
    """What one cell prints and the number it stands for, in the stored unit; None where for none."""

    text: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something planted: `check` is an identity (T3.balance ...) or a habit (blank_column, unit_unknown ...),
    `cells` are the cells it touches."""

    check: str
    cells: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """How an agency fills its form in. Probabilities are of one cell."""

    scale: int = 40
    blank: float = 0.0
    dash: float = 0.0
    blank_columns: tuple[str, ...] = ()
    zero_totals: bool = False
    change: str = "sign"
    amount: str = "万元 in header"
    digits: str = "plain"
    broken: tuple[str, ...] = ()
    merged: bool = False
    two_columns: bool = False


CHANGES = ("sign", "plus", "word")
UNITS = ("万元 in header", "万", "万元", "元", "万 in header, 元 in cell", "none")


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One agency's report for one year: its printed cells with their truth, and what was planted.

    header_units: unit words that the form's header prints for an amount.
    merged: cells of one row that share one printed value, so that none of them is known.
    """

    agency: Agency
    year: int
    form: str
    cells: dict[Key, Printed]
    faults: tuple[Fault, ...]
    published_on: date
    header_units: dict[str, str] = field(default_factory=dict)
    merged: tuple[Key, ...] = ()
    cumulative: dict[Key, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.agency.name}{self.year}年政府信息公开工作年度报告"

    @property
    def truth(self) -> dict[Key, Decimal | None]:
        """Every cell the form prints, with its number or None."""
        return {key: printed.value for key, printed in self.cells.items()}

    @property
    def numbers(self) -> dict[Key, Decimal]:
        return {key: value for key, value in self.truth.items() if value is not None}


def _count(rng: Random, scale: int) -> int:
    """Most cells of real reports are 0; the others are spread over orders of magnitude."""
    if rng.random() < 0.45:
        return 0
    return int(scale ** (rng.random() * 1.6)) if rng.random() < 0.5 else rng.randint(0, max(scale, 1))


def _requests(rng: Random, form: str, scale: int, carried_in: Mapping[str, int] | None) -> dict[Key, int]:
    values: dict[Key, int] = {}
    rows = [
        *outcomes(form),
        "requests.new",
        "requests.carried_in",
        "requests.handled",
        "requests.carried_out",
    ]
    for place, kind in enumerate(KINDS):
        size = scale if place == 0 else max(scale // (4 * place), 0)
        for row in outcomes(form):
            values[row, kind] = _count(rng, size) if size and rng.random() < 0.6 else 0
        before = carried_in[kind] if carried_in is not None else rng.choice((0, 0, size // 5))
        handled = sum(values[row, kind] for row in outcomes(form))
        after = max(rng.choice((0, 0, size // 6)), before - handled)
        values["requests.handled", kind] = handled
        values["requests.carried_in", kind] = before
        values["requests.carried_out", kind] = after
        values["requests.new", kind] = handled + after - before
    for row in rows:
        values[row, "total"] = sum(values[row, kind] for kind in KINDS)
    return values


def _cases(rng: Random, scale: int) -> dict[Key, int]:
    values: dict[Key, int] = {}
    for group in GROUPS:
        for result in RESULTS:
            values[f"{group}.{result}", None] = _count(rng, max(scale // 3, 2))
        values[f"{group}.total", None] = sum(values[f"{group}.{result}", None] for result in RESULTS)
    return values


def _proactive_2019(rng: Random, scale: int, before: Mapping[Key, int]) -> dict[Key, int]:
    values: dict[Key, int] = {}
    for kind in ("regulations", "normative_documents"):
        made = _count(rng, scale // 3 if kind == "normative_documents" else 3)
        values[f"proactive.{kind}.made", None] = made
        values[f"proactive.{kind}.published", None] = rng.randint(0, made)
        values[f"proactive.{kind}.public_total", None] = made + rng.randint(0, scale)
    for item in ITEMS:
        last, change = f"proactive.{item}.items_last_year", f"proactive.{item}.items_change"
        is_known = (last, None) in before and (change, None) in before
        stock = before[last, None] + before[change, None] if is_known else _count(rng, scale * 3)
        values[last, None] = stock
        values[change, None] = rng.choice((0, rng.randint(-stock, scale), rng.randint(0, scale)))
        if item != "fees":
            values[f"proactive.{item}.decisions", None] = _count(rng, scale * 20)
    values["proactive.procurement.projects", None] = _count(rng, scale)
    return values


def _proactive_2021(rng: Random, scale: int, before: Mapping[Key, int]) -> dict[Key, int]:
    values: dict[Key, int] = {}
    for kind in ("regulations", "normative_documents"):
        force = f"proactive.{kind}.in_force"
        stock = before[force, None] if (force, None) in before else _count(rng, scale * 2)
        made = _count(rng, scale // 3)
        repealed = rng.randint(0, stock + made) if rng.random() < 0.5 else 0
        values[f"proactive.{kind}.made", None] = made
        values[f"proactive.{kind}.repealed", None] = repealed
        values[force, None] = stock + made - repealed
    for item in ("licensing", "penalties", "coercion"):
        values[f"proactive.{item}.decisions", None] = _count(rng, scale * 20)
    return values


def _statistics(rng: Random, scale: int) -> dict[Key, int]:
    values: dict[Key, int] = {(name, None): _count(rng, scale * 4) for name in _LOOSE_2014}
    for subtotal, parts in SUMS_2014.items():
        for part in parts:
            if part not in SUMS_2014:
                values[part, None] = _count(rng, scale)
        values[subtotal, None] = sum(values[part, None] for part in parts)
    return values


_PROSE = _names(
    """published.items published.website published.wechat published.weibo requests.received
    requests.completed policy_explanations proposals.handled review.cases litigation.cases request_fees"""
)


def _narrative(rng: Random, scale: int) -> dict[Key, int]:
    """Figures a report without tables tells in its prose; channels are part of all items, answers of requests."""
    values: dict[Key, int] = {(f"narrative.{name}", None): rng.randint(1, scale * 5) for name in _PROSE}
    channels = sum(values[f"narrative.published.{name}", None] for name in ("website", "wechat", "weibo"))
    values["narrative.published.items", None] = channels + rng.randint(1, scale)
    values["narrative.requests.received", None] = values["narrative.requests.completed", None] + rng.randint(
        1, 9
    )
    return values


def _amount_keys(form: str) -> list[Key]:
    wanted: tuple[str, ...] = {
        "2008": (),
        "2014": ("statistics.request_fees", "statistics.resources.budget"),
        "2019": ("proactive.procurement.amount",),
    }.get(form, ("proactive.fees.amount",))
    return [(name, None) for name in wanted]


def _break(rng: Random, check: str, form: str, values: dict[Key, int]) -> Fault | None:
    """Changes printed numbers so that `check` fails and, as far as the form allows, nothing else does."""
    kind, by = rng.choice(KINDS), rng.randint(1, 9)

    def add(*keys: Key) -> Fault:
        for key in keys:
            values[key] += by
        return Fault(check, keys)

    if check.startswith("T3") and ("requests.new", "total") not in values:
        return None
    if check == "T3.balance":
        return add(("requests.new", kind), ("requests.new", "total"))
    if check == "T3.outcomes":
        row = rng.choice(outcomes(form))
        return add((row, kind), (row, "total"))
    if check == "T3.applicants":
        return add(("requests.new", "total"), ("requests.granted", "total"), ("requests.handled", "total"))
    if check == "T4.results" and ("review.total", None) in values:
        return add((f"{rng.choice(GROUPS)}.total", None))
    if check == "S.sums" and form == "2014":
        return add((rng.choice(("statistics.requests.received", "statistics.review.total")), None))
    if check == "X.carry" and ("requests.new", "total") in values:
        # Both sides of the year's own balance move, so that only the link to last year breaks.
        fault = add(("requests.carried_in", kind), ("requests.carried_in", "total"))
        extra = add(("requests.carried_out", kind), ("requests.carried_out", "total"))
        return Fault(check, fault.cells + extra.cells)
    if check == "X.stock" and form in ("2021", "mixed"):
        return add(("proactive.normative_documents.in_force", None))
    if check == "X.items" and form == "2019":
        return add(("proactive.penalties.items_last_year", None))
    return None


def make_report(
    seed: int | Random,
    form: str,
    agency: Agency,
    year: int,
    habits: Habits = Habits(),
    before: Report | None = None,
) -> Report:
    """One report of `form`; with `before`, its agency's of last year, the identities across years hold.

    Habits that a form has no place for (a broken S.sums in a 2021 form) are left out of the faults too.
    """
    rng = seed if isinstance(seed, Random) else Random(seed)
    known = _whole_numbers(before) if before else {}
    carried = {kind: known["requests.carried_out", kind] for kind in KINDS} if _follows(known) else None
    if form == "2014":
        values = _statistics(rng, habits.scale)
    elif form == "2008":
        values, habits = _narrative(rng, habits.scale), Habits(scale=habits.scale)
    else:
        proactive = _proactive_2019 if form == "2019" else _proactive_2021
        values = {
            **proactive(rng, habits.scale, known),
            **_requests(rng, form, habits.scale, carried),
            **_cases(rng, habits.scale),
        }
    faults = [fault for check in habits.broken if (fault := _break(rng, check, form, values))]
    cells = {key: _printed_count(rng, key, value, habits) for key, value in values.items()}
    units: dict[str, str] = {}
    for key in _amount_keys(form):
        cells[key], units[key[0]], unknown = _printed_amount(rng, key, form, habits)
        faults += unknown
    faults += _blank_out(rng, cells, habits)
    merged: tuple[Key, ...] = ()
    if habits.merged and form != "2014":
        merged = _merge(rng, cells, form)
        faults.append(Fault("merged_columns", merged))
    return Report(
        agency,
        year,
        form,
        cells,
        tuple(faults),
        date(year + 1, 1, 8) + timedelta(days=rng.randint(0, 70)),
        units,
        merged,
        _cumulative(rng, values, habits) if form == "2014" and habits.two_columns else {},
    )


def _whole_numbers(report: Report) -> dict[Key, int]:
    return {key: int(value) for key, value in report.numbers.items() if key[0] not in AMOUNTS}


def _follows(known: Mapping[Key, int]) -> bool:
    return all(("requests.carried_out", kind) in known for kind in KINDS)


def _printed_count(rng: Random, key: Key, value: int, habits: Habits) -> Printed:
    if key[0].endswith("items_change"):
        return Printed(printing.change(value, habits.change), Decimal(value))
    return Printed(printing.digits(value, habits.digits), Decimal(value))


def _printed_amount(rng: Random, key: Key, form: str, habits: Habits) -> tuple[Printed, str, list[Fault]]:
    """An amount with its unit where the habit says; the 2014 form prints the unit in a column of its own."""
    yuan = Decimal(0) if rng.random() < 0.3 else Decimal(rng.randint(1, habits.scale * 10**6)) / 100
    if form == "2014":
        return Printed(printing.in_ten_thousands(yuan), yuan), "万元", []
    text, header, is_known = printing.amount(yuan, habits.amount)
    if is_known or yuan == 0:
        return Printed(text, yuan), header, []
    return Printed(text, None), header, [Fault("unit_unknown", (key,))]


def _blank_out(rng: Random, cells: dict[Key, Printed], habits: Habits) -> list[Fault]:
    faults = []
    if habits.zero_totals:
        keys = tuple(key for key in cells if key[1] == "total" and cells[key].value)
        for key in keys:
            cells[key] = Printed("0", Decimal(0))
        faults.append(Fault("zero_totals", keys))
    for column in habits.blank_columns:
        keys = tuple(key for key in cells if key[1] == column)
        for key in keys:
            cells[key] = Printed("", None)
        faults.append(Fault("blank_column", keys))
    for key in cells:
        draw = rng.random()
        if draw < habits.blank:
            cells[key] = Printed("", None)
        elif draw < habits.blank + habits.dash:
            cells[key] = Printed(rng.choice(printing.DASHES), None)
    return [fault for fault in faults if fault.cells]


def _merge(rng: Random, cells: dict[Key, Printed], form: str) -> tuple[Key, ...]:
    """One number printed over two to four applicants of one row: whose it is can no longer be known."""
    row = rng.choice([*outcomes(form), "requests.new", "requests.carried_out"])
    first = rng.randrange(0, 4)
    keys = tuple((row, kind) for kind in KINDS[first : first + rng.randint(2, 3)])
    for key in keys:
        cells[key] = Printed(cells[keys[0]].text, None)
    return keys


def _cumulative(rng: Random, values: Mapping[Key, int], habits: Habits) -> dict[Key, str]:
    return {key: printing.digits(value + rng.randint(1, 999), habits.digits) for key, value in values.items()}


def form_of_year(year: int) -> str:
    """The form most agencies used for a report year."""
    return "2008" if year < 2014 else "2014" if year < 2019 else "2019" if year < 2021 else "2021"


def make_history(
    seed: int,
    agency: Agency,
    years: Iterable[int],
    habits: Habits = Habits(),
    by_year: Mapping[int, Habits] | None = None,
    forms: Mapping[int, str] | None = None,
) -> list[Report]:
    """The agency's reports of consecutive years; the identities across years hold unless planted broken."""
    reports: list[Report] = []
    for year in sorted(years):
        before = reports[-1] if reports and reports[-1].year == year - 1 else None
        form = (forms or {}).get(year, form_of_year(year))
        own = (by_year or {}).get(year, habits)
        reports.append(make_report(Random(f"{seed}/{agency.key}/{year}"), form, agency, year, own, before))
    return reports


def corrected(report: Report, seed: int) -> tuple[Report, Key]:
    """The report as its agency quietly replaces it: one free-standing number is another one."""
    rng = Random(seed)
    free = [
        key
        for key in report.numbers
        if key[0].endswith((".decisions", ".made", "published.items", "complaints")) and key[1] is None
    ]
    key = rng.choice(free)
    value = report.cells[key].value
    assert value is not None
    new = value + rng.randint(1, 50)
    return replace(report, cells={**report.cells, key: Printed(str(new), new)}), key
