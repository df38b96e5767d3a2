-- SPDX-License-Identifier: Apache-2.0
-- Times are Unix milliseconds unless said otherwise; 0 means not yet. Columns named *_sealed hold
-- AES-256-GCM: 12 octets of nonce, the key, 16 octets of tag.

CREATE TABLE meta (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	master_check_sealed BLOB NOT NULL
) STRICT;

CREATE TABLE network (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	name TEXT NOT NULL,
	address INTEGER NOT NULL,
	uuid BLOB NOT NULL CHECK (length(uuid) = 16),
	device_key_sealed BLOB NOT NULL,
	iv_index INTEGER NOT NULL,
	iv_update INTEGER NOT NULL,
	iv_hours INTEGER NOT NULL,
	iv_recovered INTEGER NOT NULL,
	seq_reserved INTEGER NOT NULL,
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE net_keys (
	key_index INTEGER PRIMARY KEY CHECK (key_index BETWEEN 0 AND 4095),
	name TEXT NOT NULL,
	phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 2),
	key_sealed BLOB NOT NULL,
	new_key_sealed BLOB,
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE app_keys (
	key_index INTEGER PRIMARY KEY CHECK (key_index BETWEEN 0 AND 4095),
	net_index INTEGER NOT NULL REFERENCES net_keys (key_index),
	name TEXT NOT NULL,
	key_sealed BLOB NOT NULL,
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE replay (
	src INTEGER PRIMARY KEY,
	ivi_seq INTEGER NOT NULL
) STRICT;

-- Unicast ranges that are not free. state: 0 reserved, 1 used, 2 excluded, 3 burnt.
CREATE TABLE addresses (
	first INTEGER PRIMARY KEY CHECK (first BETWEEN 1 AND 32767),
	count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 255 AND first + count <= 32768),
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
	uuid BLOB NOT NULL CHECK (length(uuid) = 16),
	iv_index INTEGER NOT NULL
) STRICT;

CREATE TABLE nodes (
	address INTEGER PRIMARY KEY REFERENCES addresses (first),
	uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
	elements INTEGER NOT NULL,
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
	device_key_sealed BLOB NOT NULL,
	candidate_sealed BLOB,
	device_key_id TEXT NOT NULL,
	name TEXT NOT NULL,
	area TEXT NOT NULL,
	profile TEXT NOT NULL,
	net_index INTEGER NOT NULL,
	composition BLOB NOT NULL,
	company INTEGER NOT NULL,
	product INTEGER NOT NULL,
	version INTEGER NOT NULL,
	features INTEGER NOT NULL,
	server INTEGER NOT NULL,
	scan_max_items INTEGER NOT NULL,
	scan_active INTEGER NOT NULL,
	relay INTEGER NOT NULL,
	default_ttl INTEGER NOT NULL,
	hops INTEGER NOT NULL,
	via INTEGER NOT NULL,
	algorithm INTEGER NOT NULL,
	auth_method INTEGER NOT NULL,
	oob_public_key INTEGER NOT NULL,
	job INTEGER NOT NULL,
	created INTEGER NOT NULL,
	key_created INTEGER NOT NULL,
	joined INTEGER NOT NULL,
	configured INTEGER NOT NULL,
	heard INTEGER NOT NULL,
	cert_present INTEGER NOT NULL,
	cert_subject TEXT NOT NULL,
	cert_issuer TEXT NOT NULL,
	cert_serial TEXT NOT NULL,
	cert_not_before INTEGER NOT NULL, -- Unix seconds
	cert_not_after INTEGER NOT NULL,
	cert_fingerprint BLOB NOT NULL
) STRICT;
CREATE INDEX nodes_name ON nodes (name, address);

CREATE TABLE devices (
	uuid BLOB PRIMARY KEY CHECK (length(uuid) = 16),
	listed INTEGER NOT NULL,
	name TEXT NOT NULL,
	area TEXT NOT NULL,
	profile TEXT NOT NULL,
	static_oob_len INTEGER NOT NULL,
	static_oob_sealed BLOB,
	certificate BLOB, -- imported, DER
	heard INTEGER NOT NULL,
	oob_info INTEGER NOT NULL,
	uri_hash INTEGER,
	first_heard INTEGER NOT NULL,
	last_heard INTEGER NOT NULL,
	best_server INTEGER NOT NULL,
	best_rssi INTEGER NOT NULL,
	saw_hmac INTEGER NOT NULL,
	saw_certificates INTEGER NOT NULL,
	trust INTEGER NOT NULL CHECK (trust BETWEEN 0 AND 2),
	trust_code TEXT NOT NULL,
	trust_message TEXT NOT NULL,
	created INTEGER NOT NULL,
	cert_present INTEGER NOT NULL,
	cert_subject TEXT NOT NULL,
	cert_issuer TEXT NOT NULL,
	cert_serial TEXT NOT NULL,
	cert_not_before INTEGER NOT NULL,
	cert_not_after INTEGER NOT NULL,
	cert_fingerprint BLOB NOT NULL
) STRICT;
CREATE INDEX devices_name ON devices (name, uuid);
CREATE INDEX devices_last_heard ON devices (last_heard, uuid);

CREATE TABLE sightings (
	uuid BLOB NOT NULL REFERENCES devices (uuid) ON DELETE CASCADE,
	server INTEGER NOT NULL,
	rssi INTEGER NOT NULL,
	at INTEGER NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (uuid, server)
) STRICT, WITHOUT ROWID;

CREATE TABLE anchors (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL,
	der BLOB NOT NULL,
	added INTEGER NOT NULL,
	added_by TEXT NOT NULL,
	cert_present INTEGER NOT NULL,
	cert_subject TEXT NOT NULL,
	cert_issuer TEXT NOT NULL,
	cert_serial TEXT NOT NULL,
	cert_not_before INTEGER NOT NULL,
	cert_not_after INTEGER NOT NULL,
	cert_fingerprint BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE jobs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL,
	state INTEGER NOT NULL,
	targets INTEGER NOT NULL,
	policy INTEGER NOT NULL,
	min_algorithm INTEGER NOT NULL,
	max_links INTEGER NOT NULL,
	stop_at_failure_percent INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	server INTEGER NOT NULL,
	relay INTEGER NOT NULL,
	seconds INTEGER NOT NULL,
	profile TEXT NOT NULL,
	created INTEGER NOT NULL,
	started INTEGER NOT NULL,
	ended INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	links_open INTEGER NOT NULL,
	links_peak INTEGER NOT NULL,
	error_code TEXT NOT NULL,
	error_message TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_state ON jobs (state);

CREATE TABLE tasks (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
	uuid BLOB,
	address INTEGER NOT NULL,
	state INTEGER NOT NULL,
	step TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	server INTEGER NOT NULL,
	rssi INTEGER NOT NULL,
	created INTEGER NOT NULL,
	started INTEGER NOT NULL,
	ended INTEGER NOT NULL,
	ms_link INTEGER NOT NULL,
	ms_records INTEGER NOT NULL,
	ms_exchange INTEGER NOT NULL,
	ms_data INTEGER NOT NULL,
	ms_prove INTEGER NOT NULL,
	ms_configure INTEGER NOT NULL,
	error_code TEXT NOT NULL,
	error_message TEXT NOT NULL
) STRICT;
CREATE INDEX tasks_job ON tasks (job, state);
CREATE INDEX tasks_uuid ON tasks (uuid);

-- Links that may be open on servers: a crash leaves them to be closed.
CREATE TABLE links (
	server INTEGER PRIMARY KEY,
	uuid BLOB NOT NULL CHECK (length(uuid) = 16)
) STRICT;

CREATE TABLE users (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL COLLATE NOCASE UNIQUE,
	password TEXT NOT NULL,
	role INTEGER NOT NULL,
	disabled INTEGER NOT NULL,
	created INTEGER NOT NULL,
	signed_in INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	role INTEGER NOT NULL,
	user INTEGER REFERENCES users (id) ON DELETE CASCADE,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	used INTEGER NOT NULL,
	revoked INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
	hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
	user INTEGER REFERENCES users (id) ON DELETE CASCADE,
	csrf TEXT NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signin_links (
	hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
	role INTEGER NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
	actor TEXT NOT NULL,
	key TEXT NOT NULL,
	request BLOB NOT NULL CHECK (length(request) = 32),
	status INTEGER NOT NULL,
	location TEXT NOT NULL,
	body TEXT NOT NULL,
	created INTEGER NOT NULL,
	PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created);
