#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, whose URL is in AEGIZE_TEST_POSTGRES, and
# removes the server after that. Installs PostgreSQL where it is missing (Debian).
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT…]" >&2; exit 2; }

programs() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
if [ -z "$(programs)" ]; then
    { apt-get update && apt-get install -y postgresql; } >&2
fi
bin=$(programs)

home=$(mktemp -d "${TMPDIR:-/tmp}/aegize-postgres.XXXXXX")
as_owner() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    # The server does not run as root.
    chown postgres "$home"
    as_owner() { (cd "$home" && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
fi
stop() {
    as_owner "$bin/pg_ctl" -D "$home/data" -m immediate -s stop || true
    rm -rf "$home"
}
trap stop EXIT

as_owner "$bin/initdb" -D "$home/data" -U aegize --auth=trust -E UTF8 --locale=C >/dev/null
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300"
    if as_owner "$bin/pg_ctl" -D "$home/data" -l "$home/log" -s -w -o "$options" start; then
        status=0
        AEGIZE_TEST_POSTGRES="postgres://aegize@127.0.0.1:$port/postgres" "$@" || status=$?
        exit "$status"
    fi
done
cat "$home/log" >&2
exit 1
