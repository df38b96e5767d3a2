#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rules of the tree that no compiler checks. Prints what breaks one; exits 1 then.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
refuse() { # refuse SENTENCE LINES
	[ -z "$2" ] && return
	printf '%s\n%s\n' "$1" "$2"
	bad=1
}
code() { git ls-files '*.c' '*.h'; }

refuse 'includes stay inside a layer: no "../"' "$(code | xargs grep -nE '#include "[^"]*\.\./')"
refuse "every source says its licence" "$(git ls-files '*.c' '*.h' '*.ts' '*.tsx' '*.sh' '*.mjs' |
	xargs grep -L 'SPDX-License-Identifier: Apache-2.0')"
refuse "the stack reaches no clock, randomness, file or socket" "$(git ls-files \
	mesh/net mesh/transport mesh/access mesh/models mesh/prov 'mesh/*.c' |
	grep -E '^mesh/([a-z]+/)?[a-z_]+\.[ch]$' | grep -vE '^mesh/(base|bearer|building|crypto)/' |
	xargs grep -nE '\b(clock_gettime|gettimeofday|time\(NULL\)|getrandom|RAND_bytes|socket\(|fopen\(|pthread_|sqlite3_|json_|MHD_)')"
refuse "only server/loop.c reads the monotonic clock" "$(git ls-files 'server/*.c' 'api/*.c' 'db/*.c' |
	grep -vE '^(server/loop\.c|api/cli/)' | xargs grep -n 'CLOCK_MONOTONIC')"
refuse "SQL lives in db/" "$(git ls-files 'server/*.c' 'api/*.c' | xargs grep -nE 'sqlite3_')"
refuse "libmicrohttpd stays in api/http.c" "$(git ls-files '*.c' '*.h' | grep -v '^api/http\.c$' |
	xargs grep -nE '#include <microhttpd.h>')"
refuse "no typedef of a struct or enum" "$(code | xargs grep -nE '^typedef (struct|enum)')"
refuse "files stay under 600 lines" "$(git ls-files '*.c' '*.h' '*.ts' '*.tsx' | xargs wc -l |
	awk '$2 != "total" && $1 > 600')"
exit $bad
