import sqlite3
import threading

import pytest
from cryptography.fernet import Fernet

from controle_vnc import store as store_module
from controle_vnc.control.messages import SaveWorkstation
from controle_vnc.errors import RequestRefusedError, SettingsError
from controle_vnc.store import HEAD, Store, check, make_key, read_key, upgrade, version


@pytest.fixture
def path(tmp_path):
    upgrade(tmp_path / "store.db")
    return tmp_path / "store.db"


@pytest.fixture
def key():
    return Fernet.generate_key()


@pytest.fixture
def store(path, key):
    store = Store(path, key)
    yield store
    store.close()


def save(store, name="pc-01", **changes):
    values = {"room": "S12", "address": "h:5900", "password": "pw", "user": None, "replace": False}
    return store.save(name, **{**values, **changes})


def test_a_workstation_is_kept(store, path, key):
    saved, created = save(store, user="lea")
    assert created
    again = Store(path, key)
    assert again.workstations() == [saved]
    again.close()
    assert (saved.name, saved.room, saved.address) == ("pc-01", "S12", "h:5900")
    assert (saved.user, saved.password, saved.number) == ("lea", b"pw", 1)
    assert len(saved.id) == 12


def test_the_password_is_nowhere_in_the_files(store, path):
    save(store, password="very secret words")
    for file in path.parent.iterdir():
        assert b"very secret words" not in file.read_bytes()


def test_a_workstation_never_shows_its_password(store):
    saved, _ = save(store, password="very secret words")
    assert "secret" not in repr(saved)


def test_a_name_is_taken_once(store):
    save(store)
    with pytest.raises(RequestRefusedError) as caught:
        save(store)
    assert caught.value.code == "exists"


def test_replacing_keeps_id_number_and_a_password_that_is_not_given(store):
    first, _ = save(store)
    second, created = save(store, password=None, address="other:5901", replace=True)
    assert not created
    assert (second.id, second.number, second.password) == (first.id, first.number, b"pw")
    assert second.address == "other:5901"


def test_an_empty_password_removes_the_stored_one(store):
    save(store)
    assert save(store, password="", replace=True)[0].password is None


def test_a_number_is_never_given_twice(store):
    first, _ = save(store)
    store.remove("pc-01")
    second, _ = save(store)
    assert second.number == first.number + 1
    assert second.id != first.id


def test_a_workstation_is_removed_by_name_or_id(store):
    saved, _ = save(store)
    save(store, "pc-02")
    assert store.remove(saved.id).name == "pc-01"
    assert store.remove("pc-02").name == "pc-02"
    with pytest.raises(RequestRefusedError) as caught:
        store.remove("pc-02")
    assert caught.value.code == "unknown_workstation"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "n" * 65},
        {"name": "a\nb"},
        {"name": " a"},
        {"room": ""},
        {"room": "r" * 65},
        {"user": ""},
        {"user": "u" * 65},
        {"password": "p" * 257},
        {"address": "nowhere"},
        {"address": "h:0"},
        {"address": "h:65536"},
    ],
)
def test_what_is_too_long_or_senseless_is_refused(store, wrong):
    with pytest.raises(RequestRefusedError) as caught:
        save(store, **wrong)
    assert caught.value.code == "invalid"


def test_names_at_the_limit_are_kept(store):
    saved, _ = save(store, "n" * 64, room="r" * 64, user="u" * 64, password="p" * 256)
    assert saved.name == "n" * 64


def test_so_many_workstations_are_kept_and_not_one_more(store, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_WORKSTATIONS", 2)
    save(store, "a")
    save(store, "b")
    with pytest.raises(RequestRefusedError) as caught:
        save(store, "c")
    assert caught.value.code == "full"
    save(store, "b", replace=True)


def test_threads_may_share_a_store(store):
    threads = [threading.Thread(target=save, args=(store, f"pc-{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(store.workstations()) == 8


def test_the_last_migration_is_the_one_the_code_asks_for(path):
    assert version(path) == HEAD
    steps = sorted(
        (store_module.Path(store_module.__file__).parent / "migrations/versions").glob("0*")
    )
    assert steps[-1].name.startswith(HEAD)


def test_a_second_upgrade_changes_nothing(store, path):
    saved, _ = save(store)
    upgrade(path)
    assert store.workstations() == [saved]


def test_a_missing_database_names_its_remedy(tmp_path):
    with pytest.raises(SettingsError, match="eopctl db upgrade"):
        check(tmp_path / "none.db")


def test_a_database_of_another_version_names_its_remedy(path):
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.commit()
    connection.close()
    with pytest.raises(SettingsError, match="eopctl db upgrade"):
        check(path)


def test_the_database_is_for_its_owner_alone(path):
    assert path.stat().st_mode & 0o077 == 0


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    file = tmp_path / "etc/.store-key"
    assert make_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    before = read_key(file)
    assert not make_key(file)
    assert read_key(file) == before


def test_a_key_others_can_read_is_refused(tmp_path):
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_key(tmp_path / "key")


@pytest.mark.parametrize("text", [b"", b"short\n"])
def test_a_key_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "key").write_bytes(text)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(SettingsError):
        read_key(tmp_path / "key")


def test_a_missing_key_names_its_remedy(tmp_path):
    with pytest.raises(SettingsError, match="eopctl init"):
        read_key(tmp_path / "key")


def test_another_key_is_told_with_a_remedy(store, path):
    save(store)
    other = Store(path, Fernet.generate_key())
    with pytest.raises(SettingsError, match="another key"):
        other.workstations()
    other.close()


def test_a_new_key_before_the_old_one_still_decrypts(store, path, key):
    save(store)
    both = Store(path, Fernet.generate_key() + b"\n" + key)
    assert both.workstations()[0].password == b"pw"
    both.close()


def wanted(name="pc-01", **changes):
    values = {"room": "S12", "address": "h:5900", "password": "pw"}
    return SaveWorkstation(name=name, **{**values, **changes})


def test_a_workstation_is_renamed_by_its_id_and_keeps_number_and_password(store):
    saved, _ = save(store)
    ((renamed, created),) = store.save_all([wanted("pc-99", id=saved.id, password=None)])
    assert not created
    assert (renamed.id, renamed.number, renamed.name) == (saved.id, saved.number, "pc-99")
    assert renamed.password == b"pw"
    assert store.workstations() == [renamed]


def test_an_id_that_is_nobodys_and_a_name_that_is_anothers_are_refused(store):
    saved, _ = save(store)
    save(store, "pc-02")
    with pytest.raises(RequestRefusedError) as unknown:
        store.save_all([wanted(id="000000000000")])
    assert unknown.value.code == "unknown_workstation"
    with pytest.raises(RequestRefusedError) as taken:
        store.save_all([wanted("pc-02", id=saved.id, replace=True)])
    assert taken.value.code == "exists"
    assert [one.name for one in store.workstations()] == ["pc-01", "pc-02"]


def test_several_are_saved_or_none(store):
    save(store)
    with pytest.raises(RequestRefusedError, match=r"pc-03: .*is no address") as refused:
        store.save_all([wanted("pc-02"), wanted("pc-03", address="nowhere"), wanted("pc-04")])
    assert refused.value.code == "invalid"
    assert [one.name for one in store.workstations()] == ["pc-01"]
    saved = store.save_all([wanted("pc-02"), wanted(room="S13", replace=True)])
    assert [(one.name, one.room, created) for one, created in saved] == [
        ("pc-02", "S12", True), ("pc-01", "S13", False),
    ]  # fmt: skip


def test_several_never_go_beyond_what_is_kept(store, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_WORKSTATIONS", 2)
    with pytest.raises(RequestRefusedError) as refused:
        store.save_all([wanted(f"pc-{n}") for n in range(3)])
    assert refused.value.code == "full"
    assert store.workstations() == []


PIN = "rsa-sha256:" + "0a" * 32


def ask(store, **changes):
    values = {"name": "pc-01", "room": "S12", "address": "h:5900", "replace": True, **changes}
    ((saved, _),) = store.save_all([SaveWorkstation(**values)])
    return saved


def test_whom_we_sign_in_as_and_what_the_server_is_known_by_stay_until_told(store):
    assert ask(store, vnc_user="eop", trust=PIN.upper()).way[2:] == ("eop", PIN)
    assert ask(store).way[2:] == ("eop", PIN)
    assert ask(store, vnc_user="", trust="").way[2:] == (None, None)


def test_the_first_that_is_learnt_is_kept_and_nothing_is_written_over(store):
    saved = ask(store)
    store.keep_trust(saved.id, "another:5900", PIN)
    assert [one.trust for one in store.workstations()] == [None]
    store.keep_trust(saved.id, "h:5900", PIN)
    store.keep_trust(saved.id, "h:5900", "rsa-sha256:" + "0b" * 32)
    store.keep_trust("unknown", "h:5900", PIN)
    assert [one.trust for one in store.workstations()] == [PIN]


@pytest.mark.parametrize(
    ("field", "value"),
    [("vnc_user", "x" * 65), ("vnc_user", " x"), ("trust", "x"), ("trust", "ca:x")],
)
def test_what_cannot_be_is_refused(store, field, value):
    with pytest.raises(RequestRefusedError) as refused:
        ask(store, **{field: value})
    assert refused.value.code == "invalid"


def test_a_database_of_the_first_version_is_brought_up_to_date(path, store):
    saved, _ = save(store)
    connection = sqlite3.connect(path)
    for column in ("vnc_user", "trust"):
        connection.execute(f"ALTER TABLE workstations DROP COLUMN {column}")
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.commit()
    connection.close()
    upgrade(path)
    assert store.workstations() == [saved]
