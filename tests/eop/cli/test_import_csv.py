import pytest

from controle_vnc.control.messages import MAX_WORKSTATIONS_A_REQUEST
from tests.eop.cli.test_workstation import listed

GOOD = """name,room,vnc,password,user
pc-01,S12,192.0.2.11:5900,secret1,zoe
pc-02,S12,[2001:db8::2]:5900,,
pc-03,S14,unix:/run/x.sock,secret3,malo
"""


@pytest.fixture
def load(eopctl, tmp_path):
    """`load(text)` imports a CSV file of that text."""
    path = tmp_path / "workstations.csv"

    def run(text, *more):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return eopctl("workstation", "import", path, *more)

    return run


def test_a_file_is_imported_and_a_second_time_only_passwords_are_set(house, eopctl, load):
    done = load(GOOD)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "+ pc-01  S12  192.0.2.11:5900  zoe",
        "+ pc-02  S12  [2001:db8::2]:5900",
        "+ pc-03  S14  unix:/run/x.sock  malo",
    ]
    assert len(listed(eopctl)) == 3
    again = load(GOOD, "--json").json
    assert [one["change"] for one in again["changes"]] == ["change", "keep", "change"]


def test_a_dry_run_prints_the_differences_and_changes_nothing(house, eopctl, load):
    load(GOOD)
    before = listed(eopctl)
    done = load("name;room;vnc\npc-01;S14;192.0.2.99:5900\npc-09;S14;pc-09:5900\n", "--dry-run")
    assert done.code == 0
    assert done.out.splitlines() == [
        "~ pc-01  room S12 → S14, address 192.0.2.11:5900 → 192.0.2.99:5900",
        "+ pc-09  S14  pc-09:5900",
    ]
    assert listed(eopctl) == before


def test_a_file_with_wrong_lines_names_each_and_changes_nothing(house, eopctl, load):
    done = load(
        "name,room,vnc,password,password_file,user\n"
        "pc-01,S12,192.0.2.11:5900,,,\n"
        "pc-01,S12,192.0.2.12:5900,,,\n"
        ",S12,192.0.2.12:5900,,,\n"
        "pc-03,S12,192.0.2 12,,,\n"
        "pc-04,S12,192.0.2.12:99999,,,\n"
        "pc-05,S12,192.0.2.12:5900,a,b,\n"
        "pc-06,S12,192.0.2.12:5900,,nofile,\n"
        "pc-07,S12\n"
    )
    assert done.code == 1
    errors = [line for line in done.out.splitlines() if line.startswith("line ")]
    assert [line.split(":")[0] for line in errors] == [f"line {n}" for n in range(3, 10)]
    assert listed(eopctl) == []


def test_passwords_may_be_in_files_beside_it(house, eopctl, load, tmp_path):
    (tmp_path / "pw.txt").write_text("secret\n")
    done = load("name,room,vnc,password_file\npc-01,S12,192.0.2.11:5900,pw.txt\n")
    assert done.code == 0, done.out + done.err
    assert "secret" not in done.out


def test_a_spreadsheet_with_semicolons_and_a_mark_is_read(house, eopctl, load):
    assert load(b"\xef\xbb\xbfName;Room;VNC\r\npc-01;S12;h:5900\r\n\r\n").code == 0
    assert listed(eopctl) == [("pc-01", "S12", "h:5900", None)]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"name,room\npc,S12\n",
        b"name,room,vnc,colour\n",
        b"name,name,room,vnc\n",
        b"name,room,vnc\n\xff\n",
        b"name,room,vnc\n" + b"x" * 1024 * 1024,
        b"name,room,vnc\n" + b"".join(b"pc-%d,S12,h:5900\n" % n for n in range(2001)),
    ],
)
def test_what_is_no_such_file_is_wrong_usage(house, load, text):
    assert load(text).code == 2


def test_a_quote_that_does_not_end_is_told_with_its_line(house, load):
    done = load('name,room,vnc\npc-01,S12,"h:5900\n')
    assert done.code == 1
    assert "line " in done.out


def test_what_controle_vnc_refuses_changes_nothing(house, eopctl, load):
    assert load("name,room,vnc\npc-0,S12,h:5900\n").code == 0
    rows = "".join(f"pc-{n},S14,h:5900\n" for n in range(1, MAX_WORKSTATIONS_A_REQUEST + 1))
    done = load("name,room,vnc\n" + rows)
    assert done.code == 1
    assert str(MAX_WORKSTATIONS_A_REQUEST) in done.err
    assert [row[:2] for row in listed(eopctl)] == [("pc-0", "S12")]
