# What the official image does with POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB at its first start.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
    initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    postgres --single -j postgres <<SQL
create database "$POSTGRES_DB";
SQL
fi
exec postgres -c listen_addresses='*'
