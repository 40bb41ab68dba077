#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [CTEST-OPTION...] - builds under AddressSanitizer and UBSan in build/asan and runs all tests;
# ends with ctest's summary.  Installs what is missing from Debian packages when it may.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
need_packages $PACKAGES_BUILD $PACKAGES_TESTS

cmake -S . -B build/asan -G Ninja -DDRH_SANITIZE=address,undefined -DDRH_WERROR=ON
cmake --build build/asan
exec ctest --test-dir build/asan --output-on-failure -j 2 "$@"
