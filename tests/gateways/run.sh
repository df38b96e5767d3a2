#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two servers on the air of one building, all of them real processes:  tests/gateways/run.sh BUILD_DIR
exec /usr/bin/python3 "$(dirname "$0")/two_gateways.py" "$1"
