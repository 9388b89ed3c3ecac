#!/usr/bin/env bash
# Stops the quickstart's private servers; their data stay.
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

[ -x "$PYTHON" ] || fail "The quickstart was not run yet: bash $CLONE/examples/quickstart/run.sh"
exec "$PYTHON" -m etlkit.demo stop
