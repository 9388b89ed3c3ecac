# shellcheck shell=bash
# Where the example lives. To be sourced behind the quickstart's prepare.sh; it does nothing by itself.

EXAMPLE="$CLONE/examples/replica"

if [ -n "${ETLKIT_REPLICA_HOME:-}" ]; then
    HERE="$ETLKIT_REPLICA_HOME"
elif [ "$(id -u)" -eq 0 ]; then
    # Servers that root starts run as other users, who have to pass through to their own folders.
    HERE=/var/lib/etlkit-replica
else
    HERE="${XDG_DATA_HOME:-$HOME/.local/share}/etlkit/replica"
fi
