#!/usr/bin/env bash
# Lets a day pass in the quickstart's practice: rows are inserted, edited and deleted.
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

[ -x "$PYTHON" ] || fail "The quickstart was not run yet: bash $CLONE/examples/quickstart/run.sh"
exec "$PYTHON" -m etlkit.demo day "$@"
