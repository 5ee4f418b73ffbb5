"""Real OpenLDAP servers for tests: slapd with TLS, a Scribe-like tree, and one like an AD's."""

import base64
import datetime
import ipaddress
import shutil
import socket
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.desktops import free_port, wait_until

PROGRAM = "/usr/sbin/slapd"
START_SECONDS = 15
PASSWORD = "correct horse battery"
READER_PASSWORD = "the reader's own secret"
WRITER_PASSWORD = "the writer's own secret"
SCRIBE = "ou=0210000A,ou=ac-test,ou=education,o=gouv,c=fr"
AD = "dc=ecole,dc=lan"

SCHEMA = """
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'type' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'typeadmin' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'scribeGroup' SUP top AUXILIARY MAY ( type ) )
objectclass ( 1.3.6.1.4.1.99999.2.2 NAME 'scribePerson' SUP top AUXILIARY MAY ( typeadmin ) )
"""
# as in Active Directory, with its own numbers, but with the rules that slapd needs to compare
AD_SCHEMA = """
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.662 NAME 'lockoutTime' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.96 NAME 'pwdLastSet' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.222 NAME 'location' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL
  MAY ( sAMAccountName $ userPrincipalName $ objectGUID $ userAccountControl $ accountExpires $
  lockoutTime $ pwdLastSet ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL
  MUST cn MAY ( member $ objectGUID $ sAMAccountName ) )
objectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP user STRUCTURAL MAY location )
objectclass ( 1.3.6.1.4.1.99999.2.3 NAME 'identified' SUP top AUXILIARY MAY objectGUID )
"""


@dataclass(frozen=True)
class Authority:
    """A certificate authority of its own; `file` is what clients trust."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> str:
        return str(self.folder / "ca.pem")

    def issue(self, *names: str, days: int = 7) -> tuple[Path, Path]:
        """Certificate and key for these names, or one that ended (negative `days`)."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _begun("server", self.certificate.subject, key, days)
            .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .sign(self.key, hashes.SHA256())
        )
        stem = self.folder / uuid.uuid4().hex
        return _written(stem.with_suffix(".pem"), certificate), _written(
            stem.with_suffix(".key"), key
        )


def authority(folder: Path) -> Authority:
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {folder.name}")])
    certificate = (
        _begun(f"CA {folder.name}", subject, key, 7)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    _written(folder / "ca.pem", certificate)
    return Authority(folder, key, certificate)


def _begun(name, issuer, key, days):
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * day)
        .not_valid_after(now + days * day if days > 0 else now - day)
    )


def _name(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _written(path, thing):
    encoding = serialization.Encoding.PEM
    if isinstance(thing, x509.Certificate):
        path.write_bytes(thing.public_bytes(encoding))
    else:
        plain = serialization.NoEncryption()
        path.write_bytes(thing.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    return path


class Slapd:
    """One slapd in a folder of its own; a context manager. `ldap` and `ldaps` are its addresses."""

    def __init__(
        self,
        suffix: str,
        tree: str,
        certificate: tuple[Path, Path] | None = None,
        *,
        is_ad: bool = False,
        host: str = "127.0.0.1",
        writer_below: str = "",
    ) -> None:
        if not Path(PROGRAM).exists():
            pytest.skip("Debian's slapd is not installed")
        self.suffix = suffix
        self.tree = tree
        self.certificate = certificate
        self.is_ad = is_ad
        self.writer_below = writer_below  # the branch whose passwords alone the writer may change
        self.folder = Path(tempfile.mkdtemp(prefix="slapd-", dir="/tmp"))
        self.ports = free_port(), free_port()
        self.ldap = f"ldap://{host}:{self.ports[0]}"
        self.ldaps = f"ldaps://{host}:{self.ports[1]}"
        self.root = f"cn=root,{suffix}"
        self.reader = f"cn=reader,{suffix}"
        self.process: subprocess.Popen[bytes] | None = None
        self.writer = f"cn=writer,{suffix}"
        self.password_file = self._private("reader.txt", READER_PASSWORD)
        self.writer_file = self._private("writer.txt", WRITER_PASSWORD)

    def _private(self, name: str, password: str) -> Path:
        file = self.folder / name
        file.write_text(password + "\n")
        file.chmod(0o600)
        return file

    def __enter__(self) -> "Slapd":
        (self.folder / "data").mkdir()
        (self.folder / "slapd.conf").write_text(self._configuration())
        ldif = self.folder / "tree.ldif"
        ldif.write_text(self.tree)
        self._run("slapadd", "-q", "-f", str(self.folder / "slapd.conf"), "-l", str(ldif))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        urls = f"ldap://127.0.0.1:{self.ports[0]}"
        if self.certificate:
            urls += f" ldaps://127.0.0.1:{self.ports[1]}"
        self.process = subprocess.Popen(
            [PROGRAM, "-f", str(self.folder / "slapd.conf"), "-h", urls, "-d", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._listens, START_SECONDS, "slapd listening")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def _listens(self) -> bool:
        assert self.process.poll() is None, "slapd did not start"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[0])) == 0

    def change(self, ldif: str) -> None:
        """Apply changes as the root of the tree."""
        self._run(
            "ldapmodify", "-x", "-H", f"ldap://127.0.0.1:{self.ports[0]}", "-D", self.root,
            "-w", READER_PASSWORD, stdin=ldif,
        )  # fmt: skip

    def settings(self, **changes: object) -> dict[str, object]:
        """What a site needs to use this server over LDAPS."""
        return {
            "LDAP_SERVERS": [self.ldaps],
            "LDAP_CA_FILE": str(self.certificate[0].parent / "ca.pem") if self.certificate else "",
            "LDAP_BIND_DN": self.reader,
            "LDAP_PASSWORD_FILE": str(self.password_file),
            "LDAP_BASE": AD if self.is_ad else SCRIBE,
            "LDAP_LAYOUT": "ad" if self.is_ad else "scribe",
            **changes,
        }

    def _run(self, *command: str, stdin: str = "") -> None:
        done = subprocess.run(
            command, input=stdin.encode(), capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()

    def _configuration(self) -> str:
        schemas = ["core", "cosine", "inetorgperson", "nis"]
        own = self.folder / "own.schema"
        own.write_text(SCHEMA + (AD_SCHEMA if self.is_ad else ""))
        lines = [
            *(f"include /etc/ldap/schema/{name}.schema" for name in schemas),
            f"include {own}",
            "modulepath /usr/lib/ldap",
            "moduleload back_mdb",
            "moduleload memberof",
            "moduleload ppolicy",
            f"pidfile {self.folder / 'slapd.pid'}",
        ]
        if self.certificate:
            lines += [
                f"TLSCertificateFile {self.certificate[0]}",
                f"TLSCertificateKeyFile {self.certificate[1]}",
            ]
        narrow = [
            f'access to dn.subtree="{self.writer_below}" '
            f'attrs=userPassword,pwdReset,shadowLastChange by dn.exact="{self.writer}" write '
            "by * break"
        ]
        writes = f'by dn.exact="{self.writer}" {"none" if self.writer_below else "write"}'
        lines += [
            "database mdb",
            "maxsize 268435456",
            f"directory {self.folder / 'data'}",
            f'suffix "{self.suffix}"',
            f'rootdn "{self.root}"',
            f'rootpw "{READER_PASSWORD}"',
            "index objectClass,uid,cn,memberUid eq",
            "sizelimit 100",
            f'limits dn.exact="{self.reader}" size=unlimited',
            *(narrow if self.writer_below else []),
            f"access to attrs=userPassword {writes} by anonymous auth by * none",
            f"access to attrs=pwdReset,shadowLastChange {writes} "
            f'by dn.exact="{self.reader}" read by * none',
            f'access to * by dn.exact="{self.writer}" read by dn.exact="{self.reader}" read '
            "by anonymous auth by * none",
            "overlay ppolicy",
            f'ppolicy_default "cn=policy,{self.suffix}"',
            "ppolicy_use_lockout",
            "overlay memberof",
        ]
        return "\n".join(lines) + "\n"


def entry(dn: str, *classes: str, **attributes: object) -> str:
    """One entry as LDIF; a list has several values, bytes and non-ASCII go as base64."""
    lines = [_line("dn", dn), *(f"objectClass: {name}" for name in classes)]
    for name, values in attributes.items():
        many = values if isinstance(values, list) else [values]
        lines += [_line(name.replace("__", "-"), value) for value in many]
    return "\n".join(lines) + "\n\n"


def _line(name: str, value: object) -> str:
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return f"{name}: {value}"
    data = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(data).decode()}"


def _common(suffix: str) -> str:
    return (
        entry(f"cn=reader,{suffix}", "organizationalRole", "simpleSecurityObject",
              cn="reader", userPassword=READER_PASSWORD)
        + entry(f"cn=writer,{suffix}", "organizationalRole", "simpleSecurityObject",
                cn="writer", userPassword=WRITER_PASSWORD)
        + entry(f"cn=policy,{suffix}", "organizationalRole", "pwdPolicy", cn="policy",
                pwdAttribute="userPassword", pwdLockout="TRUE", pwdMaxFailure="4",
                pwdLockoutDuration="0", pwdMustChange="TRUE", pwdFailureCountInterval="0")
    )  # fmt: skip


def unit(dn: str) -> str:
    return entry(dn, "organizationalUnit", ou=dn.split(",")[0].partition("=")[2])


CLASSES = ("3a", "3b", "4c", "5d")
STUDENTS_A_CLASS = 80
TEACHERS = 12


def scribe_tree() -> str:
    """332 people: `eleve.N` in four classes of 80, `prof.N` of whom two teach each class, admin."""
    parts = [
        entry("o=gouv,c=fr", "organization", o="gouv"),
        _common("o=gouv,c=fr"),
        unit("ou=education,o=gouv,c=fr"),
        unit("ou=ac-test,ou=education,o=gouv,c=fr"),
        unit(SCRIBE),
    ]
    parts += [
        unit(f"{below},{SCRIBE}")
        for below in (
            "ou=utilisateurs", "ou=personnels,ou=utilisateurs", "ou=eleves,ou=utilisateurs",
            "ou=local,ou=personnels,ou=utilisateurs", "ou=local,ou=eleves,ou=utilisateurs",
            "ou=groupes", "ou=local,ou=groupes",
        )
    ]  # fmt: skip
    students = {
        name: [f"eleve.{place * STUDENTS_A_CLASS + n}" for n in range(STUDENTS_A_CLASS)]
        for place, name in enumerate(CLASSES)
    }
    teachers = [f"prof.{n}" for n in range(TEACHERS)]
    everyone = [login for logins in students.values() for login in logins]
    parts += [_scribe_person(login, "eleves") for login in everyone]
    parts += [_scribe_person(login, "personnels") for login in [*teachers, "admin", "secretaire"]]
    for place, name in enumerate(CLASSES):
        parts.append(_scribe_group(name, "Classe", students[name]))
        parts.append(_scribe_group(f"profs-{name}", "Equipe", teachers[place * 2 : place * 2 + 2]))
    parts.append(_scribe_group("latin", "Option", [students["3a"][0], students["3b"][0]]))
    parts.append(_scribe_group("eleves", "Base", everyone))
    parts.append(_scribe_group("professeurs", "Base", teachers))
    parts.append(_scribe_group("DomainAdmins", "Base", ["admin"]))
    return "".join(parts)


def scribe_dn(login: str, branch: str = "personnels") -> str:
    return f"uid={login},ou=local,ou={branch},ou=utilisateurs,{SCRIBE}"


def _scribe_person(login: str, branch: str) -> str:
    return entry(
        scribe_dn(login, branch), "inetOrgPerson", "posixAccount", "shadowAccount", "scribePerson",
        uid=login, cn=f"Zoé {login}", sn=login, userPassword=PASSWORD, uidNumber="1000",
        gidNumber="1000", homeDirectory=f"/home/{login}", mail=f"{login}@ac-test.fr",
        displayName=f"Zoé {login.replace('.', ' ').title()}",
        **({"typeadmin": "2"} if login == "prof.0" else {}),
    )  # fmt: skip


def _scribe_group(name: str, kind: str, logins: list[str]) -> str:
    return entry(
        f"cn={name},ou=local,ou=groupes,{SCRIBE}", "posixGroup", "scribeGroup", cn=name,
        gidNumber="1000", type=kind, memberUid=logins,
    )  # fmt: skip


def guid(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


def ad_tree(students: int = 60) -> str:
    """Like an AD's: students in units of their class and in groups, groups within groups, PCs."""
    parts = [entry(AD, "domain", dc="ecole"), _common(AD)]
    parts += [
        entry(f"{below},{AD}", "organizationalUnit", "identified", objectGUID=guid(below).bytes_le)
        for below in ("ou=Eleves", "ou=3A,ou=Eleves", "ou=3B,ou=Eleves", "ou=Profs", "ou=Groupes",
                      "ou=PC")
    ]  # fmt: skip
    logins = [f"Eleve{n}" for n in range(students)]
    half = students // 2
    dns = [
        f"cn={login},ou={'3A' if place < half else '3B'},ou=Eleves,{AD}"
        for place, login in enumerate(logins)
    ]
    parts += [ad_user(dn, login) for dn, login in zip(dns, logins, strict=True)]
    profs = [f"cn=Dupont\\, Zoé {n},ou=Profs,{AD}" for n in range(4)]
    parts += [ad_user(dn, f"Prof{n}") for n, dn in enumerate(profs)]
    parts += [
        ad_user(f"cn=parti,ou=Profs,{AD}", "parti", userAccountControl="514"),
        ad_user(f"cn=vieux,ou=Profs,{AD}", "vieux", accountExpires="130000000000000000"),
        ad_user(f"cn=bloque,ou=Profs,{AD}", "bloque", lockoutTime="133000000000000000"),
        ad_user(f"cn=neuf,ou=Profs,{AD}", "neuf", pwdLastSet="0"),
        ad_group("Classe 3A", dns[:half]),
        ad_group("Classe 3B", dns[half:]),
        # a ring: 3B's group holds the group that holds it
        ad_group("Eleves", [_ad_group_dn("Classe 3A"), _ad_group_dn("Niveau")]),
        ad_group("Niveau", [_ad_group_dn("Classe 3B"), _ad_group_dn("Eleves")]),
        ad_group("Profs", [*profs[:3], f"cn=parti,ou=Profs,{AD}", f"cn=bloque,ou=Profs,{AD}"]),
        ad_group("Principaux", [profs[0]]),
        ad_group("Profs de 3A", profs[:2]),
        ad_group("Tous les profs", [_ad_group_dn("Profs")]),
    ]
    parts += [
        entry(f"cn=PC-{n:02},ou=PC,{AD}", "computer", cn=f"PC-{n:02}",
              sn=f"PC-{n:02}", sAMAccountName=f"PC-{n:02}$", objectGUID=guid(f"PC-{n}").bytes_le,
              **({"location": f"Bâtiment A/S{n // 4}"} if n < 8 else {}))
        for n in range(10)
    ]  # fmt: skip
    return "".join(parts)


def _ad_group_dn(name: str) -> str:
    return f"cn={name},ou=Groupes,{AD}"


def ad_group(name: str, members: list[str]) -> str:
    return entry(
        _ad_group_dn(name), "group", cn=name,
        objectGUID=guid(name).bytes_le, sAMAccountName=name, member=members,
    )  # fmt: skip


def ad_user(dn: str, login: str, **extra: str) -> str:
    name = dn.partition("=")[2].partition(",ou=")[0].replace("\\", "")
    return entry(
        dn, "user", cn=name, sn=login, displayName=f"{login} Zoé",
        sAMAccountName=login, userPrincipalName=f"{login}@ecole.lan", userPassword=PASSWORD,
        objectGUID=guid(login).bytes_le, **{"userAccountControl": "512", **extra},
    )  # fmt: skip
