def test_a_class_is_a_list_of_logins(house, eopctl):
    done = eopctl("class", "add", "3eB", "--users", "zoe.martin, Malo.Colin,,zoe.martin", "--json")
    assert done.code == 0
    assert done.json == {"name": "3eB", "students": ["malo.colin", "zoe.martin"]}
    assert eopctl("class", "list", "--json").json == [done.json]
    assert "3eB" in eopctl("class", "list").out


def test_a_class_is_added_once_unless_replaced(house, eopctl):
    eopctl("class", "add", "3eB", "--users", "zoe")
    assert eopctl("class", "add", "3eB", "--users", "malo").code == 1
    assert eopctl("class", "add", "3eB", "--users", "malo", "--replace").code == 0
    assert eopctl("class", "list", "--json").json == [{"name": "3eB", "students": ["malo"]}]


def test_a_class_can_be_removed_once(house, eopctl):
    eopctl("class", "add", "3eB", "--users", "zoe")
    assert eopctl("class", "remove", "3eB").code == 0
    assert eopctl("class", "remove", "3eB").code == 1
    assert eopctl("class", "list", "--json").json == []


def test_what_is_no_login_or_no_name_is_refused(house, eopctl):
    assert eopctl("class", "add", "3eB", "--users", "two words").code == 1
    assert eopctl("class", "add", "x" * 65, "--users", "zoe").code == 1
    assert eopctl("class", "add", "3eB").code == 2
    assert eopctl("class", "list", "--json").json == []
