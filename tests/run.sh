#!/usr/bin/env bash
# Sets up all that the tests need on a bare Debian, then runs them; arguments go to pytest.
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/../examples/quickstart/prepare.sh"

ensure_etlkit dev
ensure_mariadb ""
ensure_mysql56

cd "$CLONE"
exec "$PYTHON" -m pytest --cov --cov-report=term "$@"
