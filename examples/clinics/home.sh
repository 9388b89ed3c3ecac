# shellcheck shell=bash
# Where the two clinics live. To be sourced behind the quickstart's prepare.sh; it does nothing by itself.

CLINICS="$CLONE/examples/clinics"

if [ -n "${ETLKIT_CLINICS_HOME:-}" ]; then
    HERE="$ETLKIT_CLINICS_HOME"
elif [ "$(id -u)" -eq 0 ]; then
    # Servers that root starts run as other users, who have to pass through to their own folders.
    HERE=/var/lib/etlkit-clinics
else
    HERE="${XDG_DATA_HOME:-$HOME/.local/share}/etlkit/clinics"
fi
