#!/bin/sh
# Prepares a checkout: `sh deploy/prepare.sh run` (what EOP runs on) or `test` (the tests' tools too).
# Everything goes to standard error; what is done already is not done again.
set -eu
exec 1>&2

PURPOSE=${1:-run}
ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT"
VENV=$ROOT/.venv
STAMPS=$VENV/.stamps

RUN_PACKAGES="tigervnc-standalone-server tigervnc-tools xterm x11-apps x11-xserver-utils \
xfonts-base fonts-dejavu-core"
TEST_PACKAGES="chromium chromium-headless-shell firefox-esr x11vnc xvfb xdotool xclip apache2 \
openbox slapd ldap-utils redis-server postgresql tigervnc-viewer ssvnc gvncviewer"

say() { printf 'eop: %s\n' "$*"; }
stop() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

check_programs() {
    for program in git make; do
        has "$program" || stop "$program is missing; install it (Debian: apt-get install $program)"
    done
    has npm || stop "npm is missing; install it (Debian: apt-get install npm)"
    PYTHON=$(find_python) || stop "Python 3.11 or later is missing; install it" \
        "(Debian 12: apt-get install python3 python3-venv), or name one: make run PYTHON=/path/to/python3"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || stop "$PYTHON cannot make environments;" \
        "install python3-venv (Debian: apt-get install python3-venv)"
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if has "$candidate" && "$candidate" -c \
            'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

install_debian_packages() {
    wanted=$RUN_PACKAGES
    [ "$PURPOSE" = test ] && wanted="$wanted $TEST_PACKAGES"
    if ! has dpkg-query; then
        say "this is no Debian: for real desktops, install a TigerVNC server, xterm and xclock"
        return 0
    fi
    present=$(dpkg-query -W -f '${Status} ${Package}\n' 2>/dev/null |
        sed -n 's/^install ok installed //p')
    missing=
    for package in $wanted; do
        printf '%s\n' "$present" | grep -qx "$package" || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    line="apt-get install -y --no-install-recommends$missing"
    if [ "$(id -u)" != 0 ] || [ "${EOP_APT:-yes}" = no ]; then
        say "Debian packages are missing. As root, run: $line"
        say "Going on without them."
        return 0
    fi
    say "Debian packages are missing: $line"
    # at runlevel 1 no package starts its service: the tests start their own
    # word splitting is wanted: the line is a list of words
    # shellcheck disable=SC2086
    if ! RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $line; then
        say "trying again with a fresh list of packages"
        apt-get update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $line ||
            say "they could not be installed; going on without them"
    fi
}

# done_already NAME CONTENT: whether NAME was done with just this content
done_already() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
mark_done() { mkdir -p "$STAMPS" && printf '%s\n' "$2" >"$STAMPS/$1"; }
sum_of() { cat "$@" | cksum; }

make_environment() {
    version=$("$PYTHON" -V)
    done_already python "$ROOT $version" && "$VENV/bin/python" -c '' 2>/dev/null && return 0
    if ! "$VENV/bin/python" -c '' 2>/dev/null; then
        say "making the environment .venv with $version"
        "$PYTHON" -m venv --clear "$VENV" || stop "the environment could not be made"
    fi
    rm -rf "$STAMPS"
    mark_done python "$ROOT $version"
}

install_python_packages() {
    list=requirements.txt
    [ "$PURPOSE" = test ] && list=requirements-dev.txt
    sum=$(sum_of requirements.txt requirements-dev.txt)
    if ! done_already "$list" "$sum"; then
        say "installing the Python packages of $list"
        pip_install --only-binary :all: -r "$list" || stop "the Python packages were not installed"
        mark_done "$list" "$sum"
        [ "$PURPOSE" = test ] && mark_done requirements.txt "$sum"
    fi
    sum=$(sum_of setup.py pyproject.toml)
    done_already eop "$sum" && [ -x "$VENV/bin/eopctl" ] && return 0
    PYTHONWARNINGS=ignore pip_install --no-deps --no-build-isolation --editable . ||
        stop "EOP was not installed"
    mark_done eop "$sum"
}

pip_install() { "$VENV/bin/python" -m pip install -q --disable-pip-version-check "$@"; }

build_front_end() {
    [ -f eop/frontend/package.json ] || return 0
    sum=$(cd eop/frontend && sum_of package.json package-lock.json build.mjs)
    done_already frontend "$sum" && [ -f eop/static/dist/manifest.json ] && return 0
    say "building the browser's part"
    (cd eop/frontend && npm ci --silent --no-audit --no-fund && node build.mjs) ||
        stop "the browser's part was not built"
    mark_done frontend "$sum"
}

# the sign-in provider of the tests: npm's oidc-provider, and what it needs
install_provider() {
    [ "$PURPOSE" = test ] || return 0
    sum=$(cd tests/oidc_provider && sum_of package.json package-lock.json)
    done_already provider "$sum" && [ -d tests/oidc_provider/node_modules/oidc-provider ] && return 0
    say "installing the OpenID Connect provider of the tests"
    (cd tests/oidc_provider && npm ci --silent --no-audit --no-fund) ||
        stop "the OpenID Connect provider of the tests was not installed"
    mark_done provider "$sum"
}

compile_translations() {
    catalogues=$(find eop/translations -name '*.po' 2>/dev/null | sort)
    [ -n "$catalogues" ] || return 0
    # shellcheck disable=SC2086
    sum=$(sum_of $catalogues)
    compiled=$(find eop/translations -name '*.mo' | wc -l)
    done_already translations "$sum" &&
        [ "$compiled" -ge "$(printf '%s\n' "$catalogues" | wc -l)" ] && return 0
    "$VENV/bin/python" -m eop.i18n compile || stop "the translations were not compiled"
    mark_done translations "$sum"
}

check_programs
install_debian_packages
make_environment
install_python_packages
build_front_end
install_provider
compile_translations
