#!/usr/bin/env bash
# Stops the example's private servers; their data stay.
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/../quickstart/prepare.sh"
# shellcheck source=examples/replica/home.sh
. "$(dirname "${BASH_SOURCE[0]}")/home.sh"

[ -x "$PYTHON" ] || fail "The example was not run yet: bash $EXAMPLE/run.sh"
exec "$PYTHON" -m etlkit.demo --home "$HERE" stop
