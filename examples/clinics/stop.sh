#!/usr/bin/env bash
# Stops the private servers of both clinics; their data stay.
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/../quickstart/prepare.sh"
# shellcheck source=examples/clinics/home.sh
. "$(dirname "${BASH_SOURCE[0]}")/home.sh"

[ -x "$PYTHON" ] || fail "The clinics were not set up yet: bash $CLINICS/run.sh"
for clinic in north harbor; do
    "$PYTHON" -m etlkit.demo --home "$HERE/$clinic" stop
done
