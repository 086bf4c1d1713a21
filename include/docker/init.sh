#!/bin/sh
# airflow-init: makes the secrets that all of Airflow's containers share, and the metadata tables.
set -eu
secrets=/run/airflow
[ -w "$secrets" ] || {
    echo "The volumes belong to another user than this image's, $(id -u): docker compose down --volumes takes them away, or give AIRFLOW_UID the number of before and build again." >&2
    exit 1
}
for name in jwt-secret api-secret-key fernet-key; do
    [ -s "$secrets/$name" ] || (umask 077 && python -c 'import base64, os
print(base64.urlsafe_b64encode(os.urandom(32)).decode(), end="")' >"$secrets/$name")
done
airflow db migrate
