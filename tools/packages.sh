#!/usr/bin/env bash
# packages.sh build [test] [mpi]: installs the Debian packages that are missing; says which, and asks sudo only where not root.
set -eu
build="gcc g++ cmake ninja-build pkg-config libvips-dev libjansson-dev libtesseract-dev libleptonica-dev
    tesseract-ocr-eng libutf8proc-dev libcurl4-openssl-dev libmicrohttpd-dev libsqlite3-dev
    nettle-dev fonts-dejavu-core ca-certificates"
mpi="libopenmpi-dev openmpi-bin" # optional: training over several processes
test="libcmocka-dev binutils fonts-noto-color-emoji fonts-liberation chromium chromium-driver openssl"

missing=
for list in "$@"; do
    for package in ${!list}; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "Installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
