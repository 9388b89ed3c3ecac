#!/usr/bin/env bash
# Two clinics side by side, each with its own environment and its own locked plugins; run again, it reuses everything.
#
#   ETLKIT_CLINICS_HOME  where servers, environments and deployments live
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/../quickstart/prepare.sh"
# shellcheck source=examples/clinics/home.sh
. "$(dirname "${BASH_SOURCE[0]}")/home.sh"

ensure_etlkit embedded
ensure_mariadb ""

# What the group's package index would offer: etlkit, and each release of the plugins.
build_wheels() {
    local each copy
    rm -rf "$HERE/wheels"
    copy="$(mktemp -d)"
    for each in "$CLINICS"/plugins/* "$CLONE/examples/plugin-distribution"; do
        # A build leaves files beside the sources, so a copy is built.
        cp -R "$each" "$copy/$(basename "$each")"
        "$PYTHON" -m pip wheel --no-deps -w "$HERE/wheels" "$copy/$(basename "$each")" || return
    done
    "$PYTHON" -m pip wheel --no-deps -w "$HERE/wheels" "$CLONE" || return
    rm -rf "$copy" "$CLONE/build/lib"
}

# install CLINIC: exactly what its requirements.txt names, and what that needs from the package index.
install() {
    local python="$HERE/$1/venv/bin/python"
    [ -x "$python" ] || "$PYTHON" -m venv "$HERE/$1/venv" || return
    "$python" -m pip install "$HERE"/wheels/etlkit_core-*.whl || return
    "$python" -m pip install --no-index --no-deps --force-reinstall --find-links "$HERE/wheels" \
        -r "$CLINICS/$1/requirements.txt"
}

# set_up CLINIC SEED: servers with a practice of its own, an environment, a deployment, its lock and its first load.
set_up() {
    local clinic="$1" seed="$2" deployment etlkit="$HERE/$1/venv/bin/etlkit"
    "$PYTHON" -m etlkit.demo --home "$HERE/$clinic" start
    "$PYTHON" -m etlkit.demo --home "$HERE/$clinic" practice --scale 0.1 --seed "$seed"
    deployment="$("$PYTHON" -m etlkit.demo --home "$HERE/$clinic" show deployment)"
    quietly "Installing the plugins of $clinic" install "$clinic"
    cp "$CLINICS/$clinic/etlkit.yml" "$deployment/"
    "$etlkit" plugins lock -C "$deployment"
    "$etlkit" analyze --locked -C "$deployment"
    "$etlkit" run --locked -C "$deployment"
}

mkdir -p "$HERE"
[ "$(id -u)" -ne 0 ] || chmod 711 "$HERE"
quietly "Building etlkit and the plugins" build_wheels
set_up north 1
set_up harbor 2

say ""
say "Each clinic has its own plugins, and a lock that says which:"
for clinic in north harbor; do
    say "  $HERE/$clinic/venv/bin/etlkit plugins list -C $HERE/$clinic/clinic"
done
say "The plugins of one clinic do not pass for those of the other; this is refused with exit code 6:"
say "  $HERE/harbor/venv/bin/etlkit run --locked -C $HERE/north/clinic"
say "What arrived of a patient:"
for clinic in north harbor; do
    query="$("$PYTHON" -m etlkit.demo --home "$HERE/$clinic" show query)"
    say "  $query -c 'table raw.patient limit 3' -x"
done
say "Stop the private servers (their data stay):"
say "  bash $CLINICS/stop.sh"
