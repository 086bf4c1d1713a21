#!/usr/bin/env bash
# build.sh PREFIX: builds stand-ins for the three images that docker-compose.yaml names, where no registry can be pulled from:
# Debian with the Python 3.12 at PREFIX, and Debian's PostgreSQL and Redis with what the official images promise.
set -euo pipefail
cd "$(dirname "$0")"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase \
    --include=ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libreadline8,libsqlite3-0,libssl3,zlib1g \
    bookworm "$root" >"$root.log" 2>&1 || { tail -20 "$root.log" >&2; exit 1; }
rm -f "$root.log" "$root"/var/cache/apt/archives/*.deb
# Whatever certificates this machine trusts: a proxy in front of the package registries may have its own.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$root/etc/pip.conf"
# Services must not start while they are installed.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
python3 - "$1" "$root/usr/local" <<'PYTHON'
import shutil, sys
from pathlib import Path

home, target = Path(sys.argv[1]), Path(sys.argv[2])
skip = shutil.ignore_patterns("__pycache__", "site-packages", "test", "idlelib", "tkinter", "*.a")
shutil.copytree(home / "lib" / "python3.12", target / "lib" / "python3.12", ignore=skip)
site = target / "lib" / "python3.12" / "site-packages"
site.mkdir()
for library in (home / "lib").glob("libpython3*.so*"):
    shutil.copy2(library, target / "lib" / library.name)
shutil.copy2(home / "bin" / "python3.12", target / "bin" / "python3.12")
(target / "bin" / "python3").symlink_to("python3.12")
(target / "bin" / "python").symlink_to("python3.12")
PYTHON
chroot "$root" ldconfig
tar --create --directory "$root" . | docker import --change 'CMD ["python3"]' - stand-in/python:3.12 >/dev/null
for service in postgres redis; do
    docker build --quiet --network host --tag "stand-in/$service" --file "$service.Dockerfile" . >/dev/null
done
