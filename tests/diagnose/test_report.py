import pytest

from diagnose import report
from diagnose.checks import START, Check


@pytest.mark.parametrize(
    ("remedy", "command"),
    [
        (START.format(service="eoleflask"), "systemctl start eoleflask"),
        (START.format(service="eop-pam.socket") + ", as root", "systemctl start eop-pam.socket"),
        ("run: eopctl init", "eopctl init"),
        ("run: eopctl init, as root", "eopctl init"),
        ("run it as root: sudo eopctl diagnose", "sudo eopctl diagnose"),
        ("later run: eopctl workstation remove x", "eopctl workstation remove x"),
        (
            "see which program has the port: ss -ltnp 'sport = 8788'; then restart controle-vnc",
            "ss -ltnp 'sport = 8788'",
        ),
        ("first mend websockify", None),
        ("correct /etc/x.conf, then restart", None),
        ("", None),
    ],
)
def test_what_can_be_typed_of_a_remedy_stands_alone(remedy, command):
    assert report.command(remedy) == command


def test_a_line_holds_everything_of_its_check():
    failed = Check("gunicorn", False, "127.0.0.1:5000: refused", "run: eopctl init", 1.5)
    assert report.line(failed) == {
        "name": "gunicorn",
        "ok": False,
        "detail": "127.0.0.1:5000: refused",
        "remedy": "run: eopctl init",
        "command": "eopctl init",
        "milliseconds": 1.5,
    }
    assert report.line(Check("secret", True, "both"))["command"] is None
