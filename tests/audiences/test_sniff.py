"""Looking at files: encodings, delimiters, headers, guesses; and a round trip through our own CSV."""

from __future__ import annotations

import csv
import io
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.addresses import BadAddress, parse_address
from audiences.importing import UnreadableFile, sniff
from audiences.importing.mapping import make_plan
from audiences.importing.rows import RowChecker, check_rows
from audiences.importing.values import BadValue, parse
from pulsequill.core.csv_file import FORMULA_STARTS, NUMBER, csv_lines, guard

TEXT = "Email,Vorname,Größe\nana@example.com,Ana,5\nben@example.com,Bén,6\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.encode("latin-1") + b"x\x81@example.com,,\n", "latin-1"),
        (TEXT.replace("\n", "\r\n").encode(), "utf-8"),
    ],
)
def test_it_finds_the_encoding(data, encoding):
    found = sniff(io.BytesIO(data))
    assert found.encoding == encoding
    assert [column.name for column in found.columns] == ["Email", "Vorname", "Größe"]
    assert [column.guess for column in found.columns] == ["email", "first_name", ""]
    assert found.columns[1].samples[:2] == ["Ana", "Bén"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_it_finds_the_delimiter_even_among_others_in_quotes(delimiter):
    rows = [["email", "note"], ["a@example.com", "one, two; three | four"], ["b@example.com", "x"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    assert sniff(io.BytesIO(text.getvalue().encode())).delimiter == delimiter


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (b"email\n", "empty"),
        (b"PK\x03\x04whatever", "not_csv"),
        (b"\x1f\x8bgzip", "not_csv"),
        (b",".join([b"c"] * 201) + b"\n" + b",".join([b"1"] * 201) + b"\n", "too_many_columns"),
    ],
)
def test_files_that_cannot_be_imported_say_why(content, code):
    with pytest.raises(UnreadableFile) as caught:
        sniff(io.BytesIO(content))
    assert caught.value.code == code


def test_limits_on_size_and_rows_are_enforced(monkeypatch):
    module = sys.modules["audiences.importing.sniff"]  # the function shadows its module in the package
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(UnreadableFile, match="larger"):
        sniff(io.BytesIO(b"email\n" + b"a@example.com\n" * 50))
    monkeypatch.setattr(module, "MAX_BYTES", 10**6)
    monkeypatch.setattr(module, "MAX_ROWS", 600)
    with pytest.raises(UnreadableFile, match="601 rows"):
        sniff(io.BytesIO(b"email\n" + b"a@example.com\n" * 601))


def test_a_file_without_a_header_is_recognised_by_its_address():
    found = sniff(io.BytesIO(b"ana@example.com;Ana\nben@example.com;Ben\n"))
    assert (found.has_header, found.total_rows) == (False, 2)
    assert [(column.name, column.guess) for column in found.columns] == [("Column 1", "email"), ("Column 2", "")]


def test_types_keys_and_double_names_are_worked_out():
    content = (
        "email,Orders,Born,VIP,Postcode,Postcode,Última compra\n"
        'a@example.com,"1,200",1990-04-01,yes,01234,red,31.12.2025\n'
        "b@example.com,3.5,1991-01-31,no,04321,blue,01.01.2026\n"
    )
    columns = sniff(io.BytesIO(content.encode())).columns
    assert [column.type for column in columns] == ["text", "number", "date", "boolean", "text", "text", "date"]
    assert [column.name for column in columns][4:6] == ["Postcode", "Postcode (2)"]
    assert columns[6].new_key == "ultima_compra"


def test_known_fields_are_guessed_by_name():
    found = sniff(io.BytesIO(b"email,Favourite roast\na@example.com,light\n"), known_fields=["favourite_roast"])
    assert found.columns[1].guess == "favourite_roast"


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("number", "007", 7), ("number", "-1,200.50", -1200.5), ("number", "+3", 3),
        ("boolean", "Ja", True), ("boolean", "0", False),
        ("date", "2026-11-23T10:00:00Z", "2026-11-23"), ("date", "23/11/2026", "2026-11-23"),
        ("text", 'a "b" \\ c', 'a "b" \\ c'),
    ],
)  # fmt: skip
def test_cells_are_read_as_their_type(kind, cell, value):
    assert parse(kind, cell) == value


@pytest.mark.parametrize(
    ("kind", "cell"),
    [("number", "1e5"), ("number", "--1"), ("number", "0x10"), ("number", "1,2,3"), ("boolean", "maybe"),
     ("date", "31.02.2026"), ("date", "soon"), ("text", "x" * 1001)],
)  # fmt: skip
def test_cells_of_another_type_are_refused(kind, cell):
    with pytest.raises(BadValue):
        parse(kind, cell)


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        (" Ana.B+x@Example.COM ", "ana.b+x@example.com"),
        ("jos@münchen.de", "jos@xn--mnchen-3ya.de"),
        ("a@пример.рф", "a@xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_addresses_have_one_comparable_form(text, normalized):
    assert parse_address(text).normalized == normalized


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@b", "@x.com", "a@@x.com", "a..b@x.com", ".a@x.com", "a@x..com", "a b@x.com", "ü@x.com",
     f"{'a' * 65}@x.com", f"a@{'b' * 250}.com", "a@xn--80ak6aa92e.com", "a@pаypal.com", "a@x.com\r\nBcc: b@x.com",
     "a\0@x.com", "a@127.0.0.1", "a@-x.com", '"a b"@x.com'],
)  # fmt: skip
def test_texts_that_are_no_address_are_refused(text):
    with pytest.raises(BadAddress):
        parse_address(text)


cells = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=40)


def unguarded(cell: str) -> str:
    return cell.removeprefix("'") if cell[1:2] in FORMULA_STARTS else cell


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=20))
def test_what_we_write_we_read_back_and_no_cell_is_a_formula(rows):
    body = ((f"p{number}@example.com", *row) for number, row in enumerate(rows))
    content = "".join(csv_lines(["email", "note", "more"], body))
    read = list(csv.reader(io.StringIO(content, newline="")))
    assert all(cell[:1] not in FORMULA_STARTS or NUMBER.fullmatch(cell) for row in read for cell in row)
    back = [tuple(map(unguarded, row[1:])) for row in read[1:]]
    assert back == [tuple(map(unguarded, row)) for row in rows]
    lines = [
        line for chunk in checked(content.encode(), "utf-8", ",", ["email", "note", "more"]) for line in chunk.lines
    ]
    assert len(lines) == len(rows)
    assert all(line.count("\t") == 6 and line.count("\n") == 1 for line in lines)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (-490, "-490"), ("-490.00", "-490.00"), (-0.32, "-0.32"),
        ("-1+cmd", "'-1+cmd"), ("-1\n=2", "'-1\n=2"), ("--1", "'--1"), ("-", "'-"),
        ("-\u0661", "'-\u0661"), ("+49301", "'+49301"),
    ],
)  # fmt: skip
def test_negative_numbers_stay_numbers_and_formulas_become_text(cell, written):
    assert guard(cell) == written


def checked(data: bytes, encoding: str, delimiter: str, names: list[str], *, has_header: bool = True):
    plan = make_plan(names, {name: name for name in names} | {names[0]: "email"}, dict.fromkeys(names[1:], "text"))
    checker = RowChecker(plan)
    return list(
        check_rows(io.BytesIO(data), encoding=encoding, delimiter=delimiter, has_header=has_header, checker=checker)
    )


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400))
def test_no_bytes_can_crash_the_reader(data):
    try:
        found = sniff(io.BytesIO(data))
    except UnreadableFile:
        return
    names = [column.name for column in found.columns]
    checked(data, found.encoding, found.delimiter, names, has_header=found.has_header)
