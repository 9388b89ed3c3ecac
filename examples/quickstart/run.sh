#!/usr/bin/env bash
# From a clone to a filled warehouse in one command; run again, it reuses everything.
#
#   ETLKIT_SOURCE_URL      a MySQL or MariaDB of your own instead of a private one with a made-up practice
#   ETLKIT_WAREHOUSE_URL   a PostgreSQL of your own instead of a private one
#   ETLKIT_QUICKSTART_HOME where the servers and the deployment live
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

extras=embedded
[ -z "${ETLKIT_WAREHOUSE_URL:-}" ] || extras=
ensure_etlkit "$extras"
[ -n "${ETLKIT_SOURCE_URL:-}" ] ||
    ensure_mariadb ", or set ETLKIT_SOURCE_URL to a MySQL or MariaDB of your own"

demo() {
    "$PYTHON" -m etlkit.demo "$@"
}
etlkit() {
    "$VENV/bin/etlkit" "$@"
}

demo start
[ -n "${ETLKIT_SOURCE_URL:-}" ] || demo practice

deployment="$(demo show deployment)"
query="$(demo show query)"
if [ ! -e "$deployment/etlkit.yml" ]; then
    # From here on the deployment's .env names the servers; only init asks the environment.
    ETLKIT_SOURCE_URL="$(demo show source)" ETLKIT_WAREHOUSE_URL="$(demo show warehouse)" \
        etlkit init -C "$deployment"
fi
etlkit doctor -C "$deployment"
etlkit analyze -C "$deployment"
etlkit run -C "$deployment"

# What is printed below must work when it is typed, so a home of one's own has to be named again.
home=""
[ -z "${ETLKIT_QUICKSTART_HOME:-}" ] || home="ETLKIT_QUICKSTART_HOME=$(printf '%q' "$ETLKIT_QUICKSTART_HOME") "
say ""
if [ -n "$query" ]; then
    say "The warehouse is a private PostgreSQL; its schema raw holds the practice. Ask it:"
    say "  $query -c 'select \"City\", count(*) from raw.patient group by 1 order by 2 desc'"
else
    say "The warehouse is the one that ETLKIT_WAREHOUSE_URL names; its schema raw holds the tables."
fi
say "The deployment is $deployment:"
say "  $VENV/bin/etlkit status -C $deployment"
if [ -z "${ETLKIT_SOURCE_URL:-}" ]; then
    say "Let a day pass in the practice, then load what changed:"
    say "  ${home}bash $CLONE/examples/quickstart/day.sh && $VENV/bin/etlkit run -C $deployment"
fi
say "Stop the private servers (their data stay):"
say "  ${home}bash $CLONE/examples/quickstart/stop.sh"
