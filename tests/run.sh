#!/usr/bin/env bash
# Sets up all that the tests need on a bare Debian, then runs them; arguments go to pytest.
set -euo pipefail

# shellcheck source=examples/quickstart/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/../examples/quickstart/prepare.sh"

ensure_etlkit dev
ensure_mariadb ""
ensure_mysql56

cd "$CLONE"
# Three at a time, on two processors: each has servers of its own, and waits for them half of the time.
# In the order of their names: the longest files are among the first, and their workers are not waited for at the end.
exec "$PYTHON" -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term "$@"
