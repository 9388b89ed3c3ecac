#!/usr/bin/env bash
# A replica between a practice and its warehouse: set up, filled, and kept over a day; run again, another day passes.
#
#   ETLKIT_REPLICA_HOME  where servers and the deployment live
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/../quickstart/prepare.sh"
# shellcheck source=examples/replica/home.sh
. "$(dirname "${BASH_SOURCE[0]}")/home.sh"

# Whoever tries other servers of his own writes their addresses into the deployment's .env.
unset ETLKIT_SOURCE_URL ETLKIT_REPLICA_URL ETLKIT_WAREHOUSE_URL

ensure_etlkit embedded
ensure_mariadb ""

demo() {
    "$PYTHON" -m etlkit.demo --home "$HERE" "$@"
}
etlkit() {
    "$VENV/bin/etlkit" "$@"
}

# The clinic's MariaDB with a practice in MyISAM tables, a second MariaDB for the copy, and a PostgreSQL.
demo start --replica
demo practice --scale 0.1
deployment="$(demo show deployment)"
cp "$EXAMPLE/etlkit.yml" "$deployment/"

etlkit doctor -C "$deployment"
etlkit analyze -C "$deployment"
etlkit run -C "$deployment"

# Rows are inserted, edited and deleted; the next run finds what changed, in both hops.
demo day
etlkit run -C "$deployment"
etlkit status -C "$deployment"
etlkit verify -C "$deployment"

# What is printed below must work when it is typed, so a home of one's own has to be named again.
home=""
[ -z "${ETLKIT_REPLICA_HOME:-}" ] || home="ETLKIT_REPLICA_HOME=$(printf '%q' "$ETLKIT_REPLICA_HOME") "
say ""
say "The practice, its replica and the warehouse are equal. The deployment is $deployment:"
say "  $VENV/bin/etlkit status -C $deployment"
say "How far each table is in the replica, and what of its definition is adapted, stands in the replica itself:"
say "  select table_name, loaded_at, verified, adapted from etlkit_state"
say "Its address, with the password of a user who may do no more there than a replica needs, is printed by:"
say "  $PYTHON -m etlkit.demo --home $HERE show replica"
say "Let another day pass:"
say "  ${home}bash $EXAMPLE/run.sh"
say "Stop the private servers (their data stay):"
say "  ${home}bash $EXAMPLE/stop.sh"
