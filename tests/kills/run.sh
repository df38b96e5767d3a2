#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The part of the kill script that the test command takes:  tests/kills/run.sh BUILD_DIR
# All of it: tests/kills/kill9.py BUILD_DIR --kills 500 --speed 20
exec /usr/bin/python3 "$(dirname "$0")/kill9.py" "$1" --kills 12 --devices 10 --speed 20
