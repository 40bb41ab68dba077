# SPDX-License-Identifier: MIT
# packages.sh - the Debian packages that drhost needs, in one place.  Sourced by quickstart.sh,
# tests/run.sh and .ci/run:
#     . examples/packages.sh
#     need_packages $PACKAGES_BUILD $PACKAGES_TESTS

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config libcjson-dev zlib1g-dev libzstd-dev
    liblzma-dev libssl-dev libcurl4-openssl-dev libdnnl-dev libopenblas-dev libpcre2-dev
    libutf8proc-dev libsnappy-dev liblz4-dev libbrotli-dev libarchive-dev libyaml-dev
    libexttextcat-dev libexttextcat-data"
# make, g++ and clang: the SDK has to work with these, too.
PACKAGES_TESTS="check make g++ clang"
PACKAGES_LINT="clang-format clang-tidy cppcheck"

# Installs those that are missing.  Without root: names them and ends the script with status 2.
need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian: make sure that you have what these packages hold:" $* >&2
        return 0
    fi
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *" installed") ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "These Debian packages are missing:$missing" >&2
        echo "Install them, then start this again:  sudo apt-get install$missing" >&2
        exit 2
    fi
    echo "Installing from Debian packages:$missing"
    # Half a minute in silence, unless something goes wrong.
    log=$(mktemp)
    if ! { apt-get -q update &&
        DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing; } \
        </dev/null >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        echo "apt-get could not install them; the lines above say why" >&2
        exit 2
    fi
    rm -f "$log"
}
