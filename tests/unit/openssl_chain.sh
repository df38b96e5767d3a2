#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes certificates with the openssl command alone, a second opinion beside our own makers.
# Usage: openssl_chain.sh FOLDER. Leaves FOLDER/*.der: root, intermediate, good and bad_*.
set -eu
dir=$1
mkdir -p "$dir"
cd "$dir"
uuid=001BDC08-1021-0B0E-0A0C-000B0E0A0C01
o="/O=Command Line Works"

key() { # NAME CURVE
	openssl ecparam -name "$2" -genkey -noout -out "$1.key" 2>/dev/null
}

request() { # NAME SUBJECT
	openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
}

issue() { # NAME ISSUER DIGEST EXTENSIONS...
	name=$1 issuer=$2 digest=$3
	shift 3
	printf '%s\n' "$@" >"$name.ext"
	openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -set_serial 77 \
		-days 3650 "-$digest" -extfile "$name.ext" -out "$name.pem" 2>/dev/null
	openssl x509 -in "$name.pem" -outform DER -out "$name.der"
}

leaf() { # NAME DIGEST CURVE COMMON_NAME EXTENSIONS...
	name=$1 digest=$2 curve=$3 cn=$4
	shift 4
	key "$name" "$curve"
	request "$name" "$o/CN=$cn"
	issue "$name" intermediate "$digest" "$@"
}

key root prime256v1
openssl req -new -x509 -key root.key -subj "$o/CN=Root" -days 3650 -out root.pem \
	-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign 2>/dev/null
openssl x509 -in root.pem -outform DER -out root.der
key intermediate prime256v1
request intermediate "$o/CN=Intermediate"
issue intermediate root sha256 basicConstraints=critical,CA:TRUE,pathlen:0 keyUsage=keyCertSign

no_ca=basicConstraints=CA:FALSE
usage=keyUsage=critical,keyAgreement
leaf good sha256 prime256v1 "$uuid BCID:00aa BPID:00bb" $no_ca $usage
leaf bad_digest sha384 prime256v1 "$uuid" $no_ca $usage
leaf bad_curve sha256 secp384r1 "$uuid" $no_ca $usage
leaf bad_ca sha256 prime256v1 "$uuid" basicConstraints=CA:TRUE $usage
leaf bad_usage sha256 prime256v1 "$uuid" $no_ca keyUsage=digitalSignature,keyAgreement
leaf bad_server sha256 prime256v1 "$uuid" $no_ca $usage extendedKeyUsage=serverAuth
leaf bad_critical sha256 prime256v1 "$uuid" $no_ca $usage 1.2.3.4.5=critical,DER:0500
leaf bad_name sha256 prime256v1 "$uuid BCID:00aa" $no_ca $usage
leaf bad_uuid sha256 prime256v1 "11111111-1021-0B0E-0A0C-000B0E0A0C01" $no_ca $usage

# signed by a certificate that is no CA
key bad_issuer prime256v1
request bad_issuer "$o/CN=$uuid"
issue bad_issuer good sha256 $no_ca $usage

# RSA
openssl genrsa -out bad_rsa.key 2048 2>/dev/null
request bad_rsa "$o/CN=$uuid"
issue bad_rsa intermediate sha256 $no_ca $usage

# what openssl itself says of the good chain, without and with strictness
openssl verify -CAfile root.pem -untrusted intermediate.pem good.pem >verify.txt
if openssl verify -CAfile root.pem good.pem >/dev/null 2>&1; then
	echo "openssl accepts a chain with a gap" >&2
	exit 1
fi
