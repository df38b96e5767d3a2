#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The simulated building and the stack are two readings of the specification: no symbol that the
# building asks for may come from the stack, and neither may the other way round.
#   independence.sh BUILD_DIR
set -euo pipefail
cd "$1"
defined() { nm --defined-only -g "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u; }
undefined() { nm -u "$@" 2>/dev/null | awk '{ print $2 }' | sort -u; }

stack=(libmm_net.a libmm_transport.a libmm_access.a libmm_models.a libmm_prov.a libmm_mesh.a libmm_db.a
	libmm_jobs.a libmm_api.a)
bad=0
for lib in "${stack[@]}"; do
	shared=$(comm -12 <(undefined libmm_building.a) <(defined "$lib"))
	[ -z "$shared" ] || { echo "the building uses of $lib: $shared"; bad=1; }
	shared=$(comm -12 <(undefined "$lib") <(defined libmm_building.a))
	[ -z "$shared" ] || { echo "$lib uses of the building: $shared"; bad=1; }
done
# The test itself must see something: both use the crypto primitives.
for lib in libmm_building.a libmm_net.a; do
	[ -n "$(comm -12 <(undefined $lib) <(defined libmm_crypto.a))" ] || { echo "$lib uses no crypto?"; bad=1; }
done
exit $bad
