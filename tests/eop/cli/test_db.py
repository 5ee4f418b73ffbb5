def test_upgrade_makes_both_databases_and_current_says_so(eopctl, tmp_path, monkeypatch):
    monkeypatch.setenv("EOP_HOME", str(tmp_path))
    eopctl("init")
    assert eopctl("db", "current", "--json").code == 1
    done = eopctl("db", "upgrade")
    assert done.code == 0, done.err
    assert (tmp_path / "var/lib/eop/eop.db").exists()
    assert (tmp_path / "var/lib/controle-vnc/store.db").exists()
    current = eopctl("db", "current", "--json")
    assert current.code == 0
    assert current.json["revision"] == current.json["needed"]
    assert eopctl("db", "upgrade").code == 0
