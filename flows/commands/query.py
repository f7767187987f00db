"""`ogi query` and `ogi trace`: ask the newest published file, walk a number back to its cell."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from extractors.warc import read_payload
from flows.commands.options import DataOption


def register(app: typer.Typer) -> None:
    # A saved question begins with a comment, and `--` would be taken for an option.
    app.command("query", context_settings={"ignore_unknown_options": True})(query_command)
    app.command("trace")(trace_command)


def query_command(
    sql: Annotated[str, typer.Argument(help="A SELECT over the published tables and views.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of rows.")] = False,
    data: DataOption = None,
) -> None:
    """Run SQL on the newest complete file, read-only."""
    from warehouse.query import open_newest

    with open_newest(DataRoot.choose(data)) as connection:
        try:
            cursor = connection.execute(sql)
            columns = [column[0] for column in cursor.description or []]
            rows = cursor.fetchall() if columns else []
        except duckdb.Error as error:
            raise UserError(f"the query failed: {error}") from error
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(value) for value in row] for row in rows)
    elif as_json:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(json.dumps(named, ensure_ascii=False, default=_json_value))
    else:
        print_table(columns, rows)


def print_table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Rows as a table, nothing cut off; rows too wide for the terminal one below the other, a line a column.

    What came from a page is shown as plain text, without control characters.
    """
    shown = [[_printable(_text(value)) for value in row] for row in rows]
    widest = [max(map(cell_len, column)) for column in zip(columns, *shown, strict=True)]
    needed = sum(widest) + 3 * len(columns)
    console = Console(highlight=False)
    if console.is_terminal and needed > console.width:
        for row in shown:
            for name, value in zip(columns, row, strict=True):
                console.print(Text(f"{name:>{max(map(len, columns))}}  {value}"), soft_wrap=True)
            console.print()
    else:
        table = Table(show_edge=False)
        for name in columns:
            table.add_column(Text(name), no_wrap=True)
        for row in shown:
            table.add_row(*(Text(value) for value in row))
        Console(highlight=False, width=max(console.width, needed)).print(table)
    console.print(f"{len(rows)} rows")


def _text(value: Any) -> str:
    """A value as text: NULL is empty, a decimal has no zeros that say nothing."""
    if value is None:
        return ""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _printable(text: str) -> str:
    """Without control characters, which could drive the terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\ufffd" for character in text
    )


def trace_command(
    report: Annotated[str, typer.Argument(help="report_id, as in reports and observations.")],
    indicator: Annotated[str, typer.Argument(help="Indicator code, as requests.new.")],
    applicant: Annotated[
        str | None, typer.Argument(help="Applicant code, as total; none for other tables.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Also write the page or file, byte for byte as kept, here.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Walk a number back: source, snapshot, WARC record, table, row, column, raw text."""
    from warehouse.query import open_newest

    root = DataRoot.choose(data)
    with open_newest(root) as connection:
        cursor = connection.execute(
            """
            SELECT o.value, o.value_kind, o.unit, o.raw_text, o.cell, r.agency_name, r.year, r.form, r.is_current,
                r.source_url, r.snapshot_sha256, r.fetched_at, r.warc_path, r.warc_offset, r.extractor_version
            FROM observation_versions o JOIN reports r USING (report_id)
            WHERE o.report_id = ? AND o.indicator = ? AND o.applicant IS NOT DISTINCT FROM ?
            """,
            [report, indicator, applicant],
        )
        names = [column[0] for column in cursor.description or []]
        row = cursor.fetchone()
        if row is None:
            raise UserError(_why_nothing(connection, report, indicator, applicant))
    facts = dict(zip(names, row, strict=True))
    table, line, column = facts["cell"].split(":")
    place = f"table {table}, row {line}, column {column}" if table != "0" else f"prose, paragraph {line}"
    for name, value in (
        ("report", report),
        ("agency, year", f"{facts['agency_name']}, {facts['year']} (form {facts['form']})"),
        ("indicator", indicator + (f", applicant {applicant}" if applicant else "")),
        ("value", "NULL" if facts["value"] is None else f"{_text(facts['value'])} {facts['unit']}"),
        ("value_kind", facts["value_kind"]),
        ("raw text", _printable(facts["raw_text"])),
        ("cell", place),
        ("source", facts["source_url"]),
        ("snapshot", f"sha256 {facts['snapshot_sha256']}, fetched {facts['fetched_at']} UTC"),
        ("WARC", f"{facts['warc_path']}, offset {facts['warc_offset']}"),
        ("read by", f"extractor {facts['extractor_version']}"),
        ("current", "yes" if facts["is_current"] else "no, another version counts"),
    ):
        typer.echo(f"{name:13} {value}")
    if save:
        _save(root, facts, save)
        typer.echo(f"{'saved':13} {save.resolve()}")


def _save(root: DataRoot, facts: dict[str, Any], target: Path) -> None:
    """Writes a snapshot's bytes out of the archive; `UserError` when they are not those the cells were read from."""
    try:
        content = read_payload(root, facts["warc_path"], facts["warc_offset"])
    except (ValueError, OSError) as error:
        raise UserError(
            f"{facts['warc_path']}: the page cannot be taken from the archive ({error})"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != facts["snapshot_sha256"]:
        raise UserError(
            f"{facts['warc_path']}, offset {facts['warc_offset']}: the bytes have sha256 {found}, "
            f"expected {facts['snapshot_sha256']}; the archive was changed"
        )
    try:
        target.write_bytes(content)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror})") from error


def _why_nothing(
    connection: duckdb.DuckDBPyConnection, report: str, indicator: str, applicant: str | None
) -> str:
    known = connection.execute("SELECT count(*) FROM reports WHERE report_id = ?", [report]).fetchall()[0][0]
    if not known:
        return f'{report}: no such report; `ogi query "SELECT report_id, agency_name, year FROM reports"` lists them'
    applicants = [
        a
        for (a,) in connection.execute(
            "SELECT applicant FROM observation_versions WHERE report_id = ? AND indicator = ?",
            [report, indicator],
        ).fetchall()
    ]
    if not applicants:
        codes = [code for (code,) in connection.execute("SELECT indicator FROM indicators").fetchall()]
        near = [] if indicator in codes else get_close_matches(indicator, codes)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"{report}: no cell of indicator {indicator} in it{meant}"
    listed = ", ".join(str(a) for a in applicants if a) or "none"
    return f"{report}, {indicator}: no cell for applicant {applicant or 'none'}; it has {listed}"
