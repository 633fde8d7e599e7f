#!/usr/bin/env bash
# Builds everything and runs every test, on a bare Debian 12 too; fails when anything fails.
#
#   tests/run.sh
#
# The tests alone, once everything is built: ctest --preset debug
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/install-packages build test
cmake --workflow --preset check
