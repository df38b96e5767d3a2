#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The dashboard in headless Chromium against the real server on a simulated building:
#   tests/web/run.sh BUILD_DIR [SECTION...]
set -euo pipefail
build=$(cd "${1:?the build folder}" && pwd)
cd "$(dirname "$0")"
[ -d node_modules/playwright-core ] && [ node_modules/.package-lock.json -nt package-lock.json ] ||
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
exec node browser.mjs "$build" "${@:2}"
