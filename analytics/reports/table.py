"""What every report is made of: tables whose columns say how they are read, figures with their change, and charts.

Pages, mails, `/v1`, CSV and JSON show the same tables; none of them computes anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pulsequill.core.line_chart import LineChart
from pulsequill.templatetags.ui import compact, percent

Kind = Literal["text", "count", "rate", "money", "when", "url"]

#: Currencies whose minor unit is not a hundredth (ISO 4217, 2024); all others have two decimals.
_DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
                     "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip


def money(amounts: Mapping[str, int]) -> str:
    """Return sums in minor units by currency as people read them: `GBP 1,234.50 · EUR 20.00`."""
    parts = []
    for currency, minor in sorted(amounts.items()):
        if currency:
            decimals = _DECIMALS.get(currency, 2)
            parts.append(f"{currency} {minor / 10**decimals:,.{decimals}f}")
    return " · ".join(parts)


@dataclass(frozen=True)
class Column:
    """One column: its key in the rows, its heading, and what its values are."""

    key: str
    label: str
    kind: Kind = "count"

    @property
    def is_number(self) -> bool:
        """Whether it stands at the right."""
        return self.kind in ("count", "rate", "money")

    def shown(self, row: Mapping[str, Any]) -> str:
        """Return the value of a row as people read it."""
        value = row.get(self.key)
        match self.kind:
            case "rate":
                return percent(value)
            case "count":
                return compact(value)
            case "money":
                return money(value or {}) or "–"
            case "when" if isinstance(value, date):
                return f"{value:%-d %b %Y, %H:%M}" if isinstance(value, datetime) else f"{value:%-d %b %Y}"
        return str(value or "–")

    def exported(self, row: Mapping[str, Any]) -> Any:
        """Return the value of a row for a spreadsheet."""
        value = row.get(self.key)
        if self.kind == "money":
            return money(value or {}).replace(",", "")
        return value.isoformat() if isinstance(value, date) else value

    def as_json(self, row: Mapping[str, Any]) -> Any:
        """Return the value of a row for programs: money in minor units by currency, rates as a share of 1."""
        value = row.get(self.key)
        if self.kind == "money":
            return {currency: minor for currency, minor in (value or {}).items() if currency}
        return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True)
class Table:
    """Rows under columns. `href` is the key of an address on this site that the first column leads to."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    note: str = ""
    empty: str = "Nothing in this time."
    href: str = ""
    #: Columns whose cells are shaded by their value, as in a heat map.
    shaded: frozenset[str] = frozenset()
    #: Beside another one where there is room.
    is_half: bool = False
    #: Has the same figures as a chart, so pages fold it up under that.
    is_folded: bool = False

    def lines(self) -> Iterator[list[Any]]:
        """Yield the rows for a spreadsheet."""
        return ([column.exported(row) for column in self.columns] for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return the table for programs."""
        return {
            "key": self.key,
            "title": self.title,
            "note": self.note,
            "columns": [{"key": column.key, "label": column.label, "kind": column.kind} for column in self.columns],
            "rows": [{column.key: column.as_json(row) for column in self.columns} for row in self.rows],
        }

    def cells(self) -> Iterator[tuple[Mapping[str, Any], list[dict[str, Any]]]]:
        """Yield each row with its cells as pages show them."""
        for row in self.rows:
            yield (
                row,
                [
                    {
                        "text": column.shown(row),
                        "column": column,
                        "shade": shade(row.get(column.key)) if column.key in self.shaded else "",
                    }
                    for column in self.columns
                ],
            )


def shade(share: float | None) -> str:
    """Return how dark a share is shown, from 0 to 5; nothing for none."""
    return "" if share is None else str(min(5, int(share * 10) if share < 0.5 else 5) if share else 0)


@dataclass(frozen=True)
class Figure:
    """One figure of the row at the top, and what it was in the time before."""

    key: str
    label: str
    value: float | Mapping[str, int]
    before: float | None = None
    is_rate: bool = False
    is_more_good: bool | None = True

    @property
    def is_money(self) -> bool:
        """Whether it is an amount."""
        return isinstance(self.value, Mapping)

    @property
    def text(self) -> str:
        """The value without its unit."""
        if isinstance(self.value, Mapping):
            return money(self.value) or "–"
        return percent(self.value).removesuffix(" %") if self.is_rate else compact(int(self.value))

    @property
    def change(self) -> float | None:
        """Points for rates, a share for amounts; None when there is nothing to compare with."""
        if self.before is None or isinstance(self.value, Mapping):
            return None
        if self.is_rate:
            return self.value - self.before
        return (self.value - self.before) / self.before if self.before else None

    @property
    def change_text(self) -> str:
        """The change without its sign."""
        size = percent(abs(self.change or 0))
        return f"{size.removesuffix(' %')} pt" if self.is_rate else size

    @property
    def tone(self) -> str:
        """`up` is good, `down` is bad."""
        if not self.change or self.is_more_good is None:
            return "mut"
        return "up" if (self.change > 0) == self.is_more_good else "down"

    def as_json(self) -> dict[str, Any]:
        """Return the figure for programs."""
        value = dict(self.value) if isinstance(self.value, Mapping) else self.value
        return {"key": self.key, "label": self.label, "value": value, "before": self.before, "change": self.change}


@dataclass(frozen=True)
class Chart:
    """Lines with their names; `table` is the key of the table that has the same figures."""

    title: str
    chart: LineChart
    names: Sequence[str]
    axis: Sequence[str]
    table: str
    is_rate: bool = True

    @property
    def curves(self) -> list[tuple[int, str, str]]:
        """Number, name and path of each line."""
        return [
            (number, name, path)
            for number, (name, path) in enumerate(zip(self.names, self.chart.paths, strict=True), start=1)
        ]

    @property
    def ticks(self) -> list[str]:
        """What stands beside the horizontal lines."""
        return [percent(tick, None if tick else 0) if self.is_rate else compact(tick) for tick in self.chart.ticks]


@dataclass(frozen=True)
class Answer:
    """A report: what was asked in words, and what is shown."""

    title: str
    subtitle: str
    tables: list[Table]
    figures: list[Figure] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    is_empty: bool = False
    #: Whether the figures are compared with the time before.
    has_previous: bool = False
    counted_at: datetime | None = None

    def table(self, key: str) -> Table | None:
        """Return one table."""
        return next((table for table in self.tables if table.key == key), None)

    @property
    def drawn(self) -> list[tuple[Chart, Table | None]]:
        """Charts, each with the table that is folded up under it."""
        folded = {table.key: table for table in self.tables if table.is_folded}
        return [(chart, folded.get(chart.table)) for chart in self.charts]

    @property
    def plain(self) -> list[Table]:
        """The tables that stand for themselves."""
        drawn = {chart.table for chart in self.charts}
        return [table for table in self.tables if not (table.is_folded and table.key in drawn)]

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "title": self.title,
            "subtitle": self.subtitle,
            "counted_at": self.counted_at,
            "figures": [figure.as_json() for figure in self.figures],
            "tables": [table.as_json() for table in self.tables],
        }
