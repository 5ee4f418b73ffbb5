import pytest

from eop.directory import ldap_source
from eop.directory.ldap_adapter import Entry
from eop.directory.ldap_source import LdapSource, Reading, external_id
from eop.directory.snapshot import SourceError
from tests.desktops import free_port
from tests.fakes.ad_server import BASE, AdServer
from tests.ldap_fixtures import AD_SETTINGS, configured
from tests.ldap_server import AD, SCRIBE, Slapd, ad_tree, guid, scribe_dn


def read(server, progress=lambda count: None, **changes):
    settings = AD_SETTINGS if server.is_ad else {}
    return LdapSource(*configured(server.settings(**{**settings, **changes}))).read(progress)


def people(snapshot):
    return {person.login: person for person in snapshot.people}


def groups(snapshot):
    return {group.name: group for group in snapshot.groups}


def test_a_scribe_gives_its_people_with_role_and_name(scribe):
    found = people(read(scribe))
    roles = [person.role for person in found.values()]
    assert {role: roles.count(role) for role in roles} == {
        "student": 320, "teacher": 12, "administrator": 1,
    }  # fmt: skip
    assert found["prof.3"].name == "Zoé Prof 3"
    assert found["prof.3"].state == "active"
    assert len({person.external_id for person in found.values()}) == 333
    assert "secretaire" not in found


def test_a_scribes_classes_have_students_and_teams_watch_them(scribe):
    snapshot = read(scribe)
    found = groups(snapshot)
    assert set(found) == {"3a", "3b", "4c", "5d", "latin"}
    assert len(found["3b"].students) == 80
    assert "eleve.80" in found["3b"].students
    assert found["latin"].students == {"eleve.0", "eleve.80"}
    who = people(snapshot)
    assert who["prof.0"].classes == {"3a"}
    assert who["prof.7"].classes == {"5d"}
    assert who["prof.11"].classes == frozenset()
    assert who["eleve.0"].classes == frozenset()


def test_a_plain_layout_reads_any_tree(scribe):
    rules = ["eleves=student", f"cn=professeurs,ou=local,ou=groupes,{SCRIBE}=teacher"]
    snapshot = read(scribe, LDAP_LAYOUT="plain", LDAP_ROLES=rules, LDAP_TEAMS="profs-{class}")
    assert set(groups(snapshot)) == {"3a", "3b", "4c", "5d", "latin"}
    assert people(snapshot)["prof.1"].classes == {"3a"}
    assert snapshot.rooms == {}


def test_who_has_no_role_is_counted_and_may_get_one_by_default(scribe):
    assert read(scribe).warnings == ("1 people were left out: they have no role by LDAP_ROLES",)
    snapshot = read(scribe, LDAP_DEFAULT_ROLE="student")
    assert people(snapshot)["secretaire"].role == "student"
    assert snapshot.warnings == ()


def test_a_head_teacher_by_an_attribute_and_the_highest_role_wins(scribe):
    rules = ["(typeadmin=2)=head_teacher", "professeurs=teacher", "nobodies=administrator"]
    snapshot = read(scribe, LDAP_ROLES=rules, LDAP_TEACHER_ROOMS=["*"])
    found = people(snapshot)
    assert (found["prof.0"].role, found["prof.1"].role) == ("head_teacher", "teacher")
    assert found["prof.0"].rooms == {"*"}
    assert "LDAP_ROLES: nobody is administrator by nobodies" in snapshot.warnings


def test_a_role_by_the_name_of_two_groups_is_refused_and_by_a_full_name_is_not():
    with AdServer() as server:
        mine = add_person(server, "mine")
        other = add_person(server, "other")
        for place, member in (("Profs", mine), ("Clubs", other)):
            server.add(f"OU={place}", objectClass=["organizationalUnit"], ou=place)
            server.add(f"CN=Profs,OU={place}", objectClass=["group"], cn="Profs", member=[member])
        with pytest.raises(SourceError, match=r"2 groups are called Profs \(CN=Profs.*by its DN"):
            only(server, LDAP_ROLES=["Profs=teacher"])
        found = people(only(server, LDAP_ROLES=[f"CN=Profs,OU=Profs,{BASE}=teacher"]))
    assert (found["mine"].role, found["other"].role) == ("teacher", "student")


def test_identity_stays_when_login_and_name_change(certificates):
    from tests.ldap_server import scribe_tree

    with Slapd("o=gouv,c=fr", scribe_tree(), certificates.issue("127.0.0.1")) as server:
        before = people(read(server))["prof.5"]
        server.change(
            f"dn: {scribe_dn('prof.5')}\nchangetype: modrdn\nnewrdn: uid=madame.5\n"
            f"deleteoldrdn: 1\n\n"
            f"dn: {scribe_dn('madame.5')}\nchangetype: modify\nreplace: displayName\n"
            "displayName: Madame Cinq\n"
        )
        server.change(
            f"dn: cn=professeurs,ou=local,ou=groupes,{SCRIBE}\nchangetype: modify\n"
            "add: memberUid\nmemberUid: madame.5\n"
        )
        found = people(read(server))
        assert "prof.5" not in found
        assert found["madame.5"].external_id == before.external_id
        assert found["madame.5"].name == "Madame Cinq"


def test_members_by_memberof_as_a_filter(certificates):
    from tests.ldap_server import scribe_tree

    with Slapd("o=gouv,c=fr", scribe_tree(), certificates.issue("127.0.0.1")) as server:
        group = f"cn=principaux,ou=local,ou=groupes,{SCRIBE}"
        server.change(
            f"dn: {group}\nchangetype: add\nobjectClass: groupOfNames\n"
            f"cn: principaux\nmember: {scribe_dn('prof.2')}\n"
        )
        rules = [f"(memberOf={group})=head_teacher", "professeurs=teacher"]
        assert people(read(server, LDAP_ROLES=rules))["prof.2"].role == "head_teacher"


def test_an_ad_gives_guids_as_microsoft_writes_them(ad):
    found = people(read(ad))
    assert found["eleve3"].external_id == str(guid("Eleve3"))
    assert found["prof0"].name == "Prof0 Zoé"


def test_groups_within_groups_give_roles_and_a_ring_ends(ad):
    found = people(read(ad))
    assert {found[f"eleve{n}"].role for n in range(60)} == {"student"}
    assert (found["prof0"].role, found["prof1"].role) == ("head_teacher", "teacher")
    assert "prof3" not in found


def test_units_and_groups_are_classes_and_teams_watch_them(ad):
    snapshot = read(ad)
    found = groups(snapshot)
    assert set(found) == {"Classe 3A", "Classe 3B", "3A", "3B", "Niveau"}
    assert found["3A"].students == found["Classe 3A"].students == {f"eleve{n}" for n in range(30)}
    assert found["3A"].external_id != found["Classe 3A"].external_id
    assert people(snapshot)["prof0"].classes == {"3A"}
    assert people(snapshot)["prof2"].classes == frozenset()


def test_the_state_of_ad_accounts_is_told(ad):
    found = people(read(ad, LDAP_DEFAULT_ROLE="teacher"))
    assert {name: found[name].state for name in ("prof0", "parti", "vieux", "bloque", "neuf")} == {
        "prof0": "active", "parti": "disabled", "vieux": "expired", "bloque": "locked",
        "neuf": "active",
    }  # fmt: skip


def test_the_location_of_computers_is_their_room(ad):
    rooms = read(ad).rooms
    assert len(rooms) == 8
    assert (rooms["pc-00"], rooms["pc-07"]) == ("Bâtiment A/S0", "Bâtiment A/S1")


def test_two_thousand_students_are_read_and_too_large_a_class_is_left_out(certificates):
    told = []
    certificate = certificates.issue("127.0.0.1")
    with Slapd(AD, ad_tree(2000), certificate, is_ad=True) as server:
        snapshot = read(server, told.append)
    assert sum(person.role == "student" for person in snapshot.people) == 2000
    left_out = [line for line in snapshot.warnings if "more than 500 students" in line]
    assert len(left_out) == 5
    assert told == sorted(told)
    assert told[-1] >= 2000


def test_a_class_of_500_is_kept_and_one_of_501_is_not(certificates):
    certificate = certificates.issue("127.0.0.1")
    with Slapd(AD, ad_tree(1001), certificate, is_ad=True) as server:
        found = groups(read(server))
    assert len(found["Classe 3A"].students) == 500
    assert "Classe 3B" not in found


def plain_ad(server, **changes):
    """Settings for the double, which speaks plain LDAP."""
    return configured(
        {
            "LDAP_SERVERS": [f"ldap://127.0.0.1:{server.port}"],
            "LDAP_STARTTLS": False,
            "LDAP_BASE": BASE,
            "LDAP_LAYOUT": "ad",
            "LDAP_ROLES": ["Eleves=student", "Profs=teacher"],
            **changes,
        }
    )


def add_person(server, login, **attributes):
    return server.add(
        f"CN={login},OU=Gens", objectClass=["user"], sAMAccountName=login,
        objectGUID=login.ljust(16, "0"), displayName=login, **attributes,
    )  # fmt: skip


def test_an_active_directory_is_asked_for_chains():
    with AdServer() as server:
        students = [add_person(server, f"e{n}") for n in range(3)]
        inner = server.add("CN=3A", objectClass=["group"], cn="3A", member=students,
                           objectGUID="g" * 16)  # fmt: skip
        server.add("CN=Eleves", objectClass=["group"], cn="Eleves", member=[inner],
                   objectGUID="h" * 16)  # fmt: skip
        found = LdapSource(*plain_ad(server)).read(lambda _: None)
        assert {p.login: p.role for p in found.people} == dict.fromkeys(
            ["e0", "e1", "e2"], "student"
        )
        assert groups(found)["3A"].students == {"e0", "e1", "e2"}
        assert not [base for base, _ in server.searches if base.startswith("CN=3A")]


def test_a_group_of_more_members_than_a_range_is_read_whole():
    with AdServer() as server:
        students = [add_person(server, f"e{n}") for n in range(2000)]
        server.add("CN=Eleves", objectClass=["group"], cn="Eleves", member=students,
                   objectGUID="h" * 16)  # fmt: skip
        found = LdapSource(*plain_ad(server, LDAP_TIMEOUT=20)).read(lambda _: None)
        assert len(found.people) == 2000


def only(server, **changes):
    return LdapSource(*plain_ad(server, LDAP_DEFAULT_ROLE="student", **changes)).read(
        lambda _: None
    )


def test_people_who_cannot_be_kept_are_left_out_with_a_sentence():
    with AdServer() as server:
        add_person(server, "good")
        add_person(server, "Twice")
        server.add("CN=x", objectClass=["user"], sAMAccountName="twice", objectGUID="1" * 16)
        server.add("CN=y", objectClass=["user"], sAMAccountName="no login!", objectGUID="2" * 16)
        server.add("CN=z", objectClass=["user"], sAMAccountName="nameless")
        found = only(server)
    assert [person.login for person in found.people] == ["good"]
    told = "\n".join(found.warnings)
    assert told.count("twice is there twice") == 2
    assert "'no login!' is no login" in told
    assert "it has no objectGUID" in told


def test_hostile_names_become_one_line_or_the_login():
    with AdServer() as server:
        server.add("CN=a", objectClass=["user"], sAMAccountName="a", objectGUID="1" * 16,
                   displayName="A\x1b[2J\nB" + "x" * 200)  # fmt: skip
        server.add("CN=b", objectClass=["user"], sAMAccountName="b", objectGUID="2" * 16,
                   displayName="\x00")  # fmt: skip
        found = people(only(server))
    assert found["a"].name.startswith("A [2J Bxxx")
    assert len(found["a"].name) == 120
    assert found["b"].name == "b"


def test_groups_of_one_name_or_without_a_usable_one_are_left_out():
    with AdServer() as server:
        student = add_person(server, "a")
        for place, name in enumerate(["3A", "3A", "x" * 64, "x" * 65, "bad\x07"]):
            server.add(f"CN={place}", objectClass=["group"], cn=name, member=[student],
                       objectGUID=str(place) * 16)  # fmt: skip
        found = only(server)
    assert set(groups(found)) == {"x" * 64}
    assert "the group 3A was left out: its name is there twice" in found.warnings


def test_warnings_have_a_limit(monkeypatch):
    monkeypatch.setattr(ldap_source, "MAX_WARNINGS", 2)
    with AdServer() as server:
        add_person(server, "good")
        for n in range(4):
            server.add(f"CN=z{n}", objectClass=["user"], sAMAccountName=f"z{n}")
        found = only(server)
    assert len(found.warnings) == 3
    assert found.warnings[-1].startswith("and ")


def test_where_nobody_can_be_kept_the_settings_are_named():
    with AdServer() as server:
        add_person(server, "a")
        with pytest.raises(SourceError, match="check LDAP_LOGIN_ATTRIBUTE and LDAP_ID_ATTRIBUTE"):
            only(server, LDAP_ID_ATTRIBUTE="entryUUID")


def test_without_roles_nothing_is_read(scribe):
    access, layout = configured({**scribe.settings(), "LDAP_LAYOUT": "plain"})
    with pytest.raises(SourceError, match="LDAP_ROLES is empty"):
        LdapSource(access, layout).read(lambda _: None)


def test_a_directory_that_is_down_is_told():
    address = f"ldap://127.0.0.1:{free_port()}"
    access, layout = configured(
        {
            "LDAP_SERVERS": [address],
            "LDAP_STARTTLS": False,
            "LDAP_BASE": BASE,
            "LDAP_LAYOUT": "scribe",
        }
    )
    with pytest.raises(SourceError, match="nothing listens there"):
        LdapSource(access, layout).read(lambda _: None)


def test_an_identity_has_a_length_the_table_can_keep():
    for count, kept in ((128, "a" * 128), (129, "")):
        found = Entry("x", {"entryuuid": [b"a" * count]})
        assert external_id(found, "entryUUID") == kept
    assert external_id(Entry("x", {"entryuuid": [b"a\nb"]}), "entryUUID") == ""
    assert external_id(Entry("x", {}), "entryUUID") == ""


def test_a_teacher_is_given_as_many_classes_as_can_be_kept():
    _, layout = configured({"LDAP_SERVERS": ["ldaps://x"], "LDAP_BASE": BASE})
    reading = Reading(None, layout, 0, lambda _: None)
    known = Entry("x", {"entryuuid": [b"1"]})
    for count, kept in ((500, 500), (501, 0)):
        watched = frozenset(f"c{n}" for n in range(count))
        assert len(reading._person("zoe", known, "teacher", watched).classes) == kept
    assert reading.warnings == ["zoe watches more than 500 classes: none was given"]


def test_head_teachers_have_the_classes_they_watch_or_those_of_their_own_groups(scribe):
    rules = ["(typeadmin=2)=head_teacher", "professeurs=teacher", "eleves=student"]
    found = people(read(scribe, LDAP_ROLES=rules))
    assert found["prof.0"].heads == {"3a"}
    assert found["prof.1"].heads == frozenset()
    found = people(read(scribe, LDAP_ROLES=rules, LDAP_HEADS="pp-{class}"))
    assert found["prof.0"].heads == frozenset()
    found = people(read(scribe, LDAP_ROLES=rules, LDAP_HEADS="profs-{class}"))
    assert found["prof.0"].heads == {"3a"}


def test_students_have_a_last_name_and_a_birth_date_where_the_settings_name_it(scribe):
    assert people(read(scribe))["eleve.1"].birth_date == ""
    found = read(scribe, LDAP_BIRTH_ATTRIBUTE="homeDirectory")
    assert people(found)["eleve.1"].last_name == "eleve.1"
    assert people(found)["prof.1"].last_name == ""
    assert found.warnings[0] == "the birth date of eleve.0 was left out: it is no date"
