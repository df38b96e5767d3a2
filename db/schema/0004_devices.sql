-- SPDX-License-Identifier: Apache-2.0
-- What a device said to an extended scan; NULL and '' where it said nothing.
ALTER TABLE devices ADD COLUMN local_name TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN appearance INTEGER;
ALTER TABLE devices ADD COLUMN uri TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN tx_power INTEGER;
ALTER TABLE devices ADD COLUMN ads BLOB NOT NULL DEFAULT x'';
ALTER TABLE devices ADD COLUMN scanned INTEGER NOT NULL DEFAULT 0;

-- What must be known of a device after its row is gone: how strong it was once.
CREATE TABLE device_memory (
	uuid BLOB PRIMARY KEY CHECK (length(uuid) = 16),
	saw_hmac INTEGER NOT NULL,
	saw_certificates INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
