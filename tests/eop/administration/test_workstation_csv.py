import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.control.messages import Workstation
from eop.administration import workstation_csv, workstation_plan
from eop.administration.workstation_csv import MAX_ERRORS, MAX_FILE_BYTES, MAX_ROWS, Row
from eop.errors import InvalidError

HEAD = "name,room,address,port,password,user\n"


PIN = "x509-sha256:" + "0a" * 32


def workstation(name="pc-01", room="S12", address="pc-01:5900", user=None, **sign_in):
    return Workstation(
        id=name, number=1, name=name, room=room, address=address, kind="vnc", user=user,
        state="ready", reason=None, checked_at=None, **sign_in,
    )  # fmt: skip


def wrong(text):
    return [(one.line, str(one.why)) for one in workstation_csv.read(text).wrong]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "pc-01,S12,10.0.0.1,5901,secret,zoe\n",
        HEAD.replace(",", ";") + "pc-01;S12;10.0.0.1;5901;secret;zoe\n",
        "\ufeff" + HEAD + '"pc-01","S12","10.0.0.1","5901","secret","zoe"\r\n\r\n',
        "Nom;Salle;Adresse;Port;Mot de passe;Utilisateur\npc-01;S12;10.0.0.1;5901;secret;zoe\n",
        "user,password,vnc,room,name\nzoe,secret,10.0.0.1:5901,S12,pc-01",
    ],
)
def test_a_file_is_read_as_spreadsheets_write_it(text):
    read = workstation_csv.read(workstation_csv.text_of(text.encode()))
    assert read.rows == [Row(2, "pc-01", "S12", "10.0.0.1:5901", "secret", "zoe")]
    assert read.wrong == []


def test_what_is_not_in_the_file_stays_as_it_is():
    (row,) = workstation_csv.read("name,room,address\npc-01,S12,pc-01\n").rows
    assert (row.address, row.password, row.user) == ("pc-01:5900", None, None)
    (row,) = workstation_csv.read(HEAD + "pc-01,S12,pc-01,,,\n").rows
    assert (row.password, row.user) == (None, "")


def test_whom_we_sign_in_as_and_what_the_server_is_known_by_may_be_in_the_file():
    head = "name,room,address,vnc_user,trust\n"
    full, none = workstation_csv.read(f"{head}pc-01,S12,a,eop,{PIN}\npc-02,S12,b,,\n").rows
    assert (full.vnc_user, full.trust) == ("eop", PIN)
    assert (none.vnc_user, none.trust) == ("", None)
    (left_out,) = workstation_csv.read("name,room,address\npc-01,S12,pc-01\n").rows
    assert (left_out.vnc_user, left_out.trust) == (None, None)


def test_what_a_server_is_known_by_is_read_as_it_is_kept():
    digits = PIN.partition(":")[2].upper()
    colons = ":".join(digits[at : at + 2] for at in range(0, 64, 2))
    (row,) = workstation_csv.read(
        f"name,room,address,trust\npc-01,S12,a,X509-SHA256:{colons}\n"
    ).rows
    assert row.trust == PIN
    (change,) = workstation_plan.make(
        [row], [workstation("pc-01", address="a:5900", trust=PIN)]
    ).changes
    assert change.kind == "keep"


def test_both_are_exported_and_read_back():
    text = "".join(workstation_csv.export([workstation(vnc_user="=eop", trust=PIN)]))
    (row,) = workstation_csv.read(workstation_csv.text_of(text.encode())).rows
    assert (row.vnc_user, row.trust) == ("=eop", PIN)


def test_a_password_keeps_its_blanks():
    (row,) = workstation_csv.read(HEAD + "pc-01,S12,pc-01,, a b ,\n").rows
    assert row.password == " a b "


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("pc-01,S12", "2 cells for 6 columns."),
        (",S12,pc-01,,,", "The name has 1 to 64 printable characters."),
        ("pc-01,,pc-01,,,", "The room has 1 to 64 printable characters."),
        ("pc-01,S12,pc 01,,,", "“pc 01” is no address"),
        ("pc-01,S12,pc-01,99999,,", "The port is a number from 1 to 65535."),
        ("pc-01,S12,pc-01,," + "x" * 257 + ",", "The password has at most 256 characters."),
    ],
)
def test_a_wrong_line_is_named_by_its_number(line, why):
    ((number, sentence),) = wrong(f"{HEAD}pc-00,S12,pc-00,,,\n{line}\n")
    assert number == 3
    assert sentence.startswith(why)


def test_a_name_that_is_there_twice_names_both_lines():
    text = HEAD + "pc-01,S12,a,,,\npc-02,S12,b,,,\npc-01,S14,c,,,\n"
    assert wrong(text) == [(4, "pc-01 is in line 2 already.")]


def test_every_fault_of_a_line_is_told_and_never_a_password():
    told = wrong(HEAD + ",,a b,x,hush-hush,\n")
    assert len(told) == 3
    assert "hush" not in str(told)


def test_a_quote_that_never_ends_is_told():
    assert wrong(HEAD + 'pc-01,S12,"pc-01\n')[0][0] == 2


@pytest.mark.parametrize(
    "head", ["", "name,room", "name,room,address,colour", "name,name,room,address", "name;room,x"]
)
def test_a_file_of_something_else_is_told_as_a_whole(head):
    with pytest.raises(InvalidError, match="The first line must name the columns"):
        workstation_csv.read(head + "\npc-01,S12,x\n")


def test_a_file_is_bounded_and_utf_8():
    assert workstation_csv.text_of(b"x" * MAX_FILE_BYTES)
    with pytest.raises(InvalidError, match="larger than 96 KiB"):
        workstation_csv.text_of(b"x" * (MAX_FILE_BYTES + 1))
    with pytest.raises(InvalidError, match="not UTF-8"):
        workstation_csv.text_of("élève".encode("latin-1"))


def test_rows_and_errors_are_bounded():
    lines = "".join(f"p{n},S,h,,,\n" for n in range(MAX_ROWS))
    assert len(workstation_csv.read(HEAD + lines).rows) == MAX_ROWS
    with pytest.raises(InvalidError, match=f"more than {MAX_ROWS} lines"):
        workstation_csv.read(HEAD + lines + "one-more,S,h,,,\n")
    faults = workstation_csv.read(HEAD + "p,\n" * MAX_ERRORS)
    assert (len(faults.wrong), faults.has_more_errors) == (MAX_ERRORS, False)
    faults = workstation_csv.read(HEAD + "p,\n" * (MAX_ERRORS + 1))
    assert (len(faults.wrong), faults.has_more_errors) == (MAX_ERRORS, True)


@given(st.text(max_size=300))
def test_whatever_a_file_holds_is_read_or_refused(text):
    try:
        read = workstation_csv.read(text)
    except InvalidError:
        return
    assert all(row.name and row.room and row.address for row in read.rows)


@given(st.binary(max_size=200))
def test_whatever_bytes_a_file_has_they_are_text_or_refused(data):
    try:
        text = workstation_csv.text_of(data)
    except InvalidError:
        return
    assert text.encode() in (data, data.removeprefix(b"\xef\xbb\xbf"))


_LETTERS = st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("'=;@")
NAMES = st.text(_LETTERS, min_size=1, max_size=64).filter(str.isprintable)
ENDPOINTS = st.sampled_from(["h:5900", "10.0.0.1:1", "[fe80::1]:65535", "unix:/run/x y.sock"])


@given(
    st.lists(st.tuples(NAMES, NAMES, ENDPOINTS, st.none() | NAMES), unique_by=lambda one: one[0])
)
def test_what_was_exported_is_read_back_and_no_cell_is_a_formula(rows):
    text = "".join(workstation_csv.export([workstation(*row) for row in rows]))
    assert text.startswith("\ufeffname,room,address,port,user,vnc_user,trust\r\n")
    cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    read = workstation_csv.read(workstation_csv.text_of(text.encode()))
    assert read.wrong == []
    assert [(one.name, one.room, one.address, one.user or None) for one in read.rows] == rows


@pytest.mark.parametrize("user", ["=1+1", "x;=cmd|'/C calc'!A0", "'=1+1", "''@x", "x; -2"])
def test_no_cell_is_a_formula_also_where_semicolons_divide_cells(user):
    _, line = workstation_csv.export([workstation(user=user)])
    (cells,) = csv.reader(io.StringIO(line))
    assert cells[4] == f"'{user}"
    (row,) = workstation_csv.read("name,room,address,port,user,vnc_user,trust\n" + line).rows
    assert row.user == user


def test_a_file_from_a_browser_names_no_file_of_the_server():
    with pytest.raises(InvalidError, match="The first line must name"):
        workstation_csv.read("name,room,address,password_file\npc-01,S12,h,/etc/passwd\n")
