from eop import replies
from eop.errors import DaemonDownError, RefusedError

REFUSED = RefusedError("daemon_refused", detail="pc-01: the journal cannot be written")


def test_what_controle_vnc_says_is_told_to_readers_of_english_alone(within):
    with within("en"):
        assert replies.told_in_full(REFUSED).endswith(" pc-01: the journal cannot be written")
    with within("fr"):
        assert replies.told_in_full(REFUSED) == replies.told(REFUSED) != "daemon_refused"


def test_where_controle_vnc_is_not_heard_the_log_alone_is_told_why(within):
    with within("en"):
        assert "8788" not in replies.told_in_full(DaemonDownError("127.0.0.1:8788: refused"))
