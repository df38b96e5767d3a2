-- SPDX-License-Identifier: Apache-2.0
-- Certificates as they were fetched or read, each once, by SHA-256 of the DER.
CREATE TABLE certificates (
	fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
	der BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The chain of a device: place 0 is its own, then each one's issuer. source: 0 its maker's site, 1
-- the device itself.
CREATE TABLE device_certificates (
	uuid BLOB NOT NULL CHECK (length(uuid) = 16),
	place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 15),
	fingerprint BLOB NOT NULL REFERENCES certificates (fingerprint),
	source INTEGER NOT NULL CHECK (source BETWEEN 0 AND 1),
	at INTEGER NOT NULL,
	PRIMARY KEY (uuid, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_certificates_fingerprint ON device_certificates (fingerprint);

-- Where a device's certificate is: its base URI as its record or its advertising had it.
CREATE TABLE device_uris (
	uuid BLOB PRIMARY KEY CHECK (length(uuid) = 16),
	uri TEXT NOT NULL,
	recorded INTEGER NOT NULL, -- 1: by its record, and it has no certificate of its own
	at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the list says a device is; the certificate must say the same.
CREATE TABLE device_products (
	uuid BLOB PRIMARY KEY CHECK (length(uuid) = 16),
	company INTEGER CHECK (company BETWEEN 0 AND 65535),
	product INTEGER CHECK (product BETWEEN 0 AND 65535)
) STRICT, WITHOUT ROWID;

CREATE TABLE crls (
	anchor INTEGER PRIMARY KEY REFERENCES anchors (id) ON DELETE CASCADE,
	der BLOB NOT NULL,
	issued INTEGER NOT NULL, -- Unix seconds
	next_update INTEGER NOT NULL,
	revoked INTEGER NOT NULL,
	added INTEGER NOT NULL
) STRICT;

-- However a device's row goes, this goes with it.
CREATE TRIGGER devices_gone AFTER DELETE ON devices
BEGIN
	DELETE FROM device_certificates WHERE uuid = OLD.uuid;
	DELETE FROM device_uris WHERE uuid = OLD.uuid;
	DELETE FROM device_products WHERE uuid = OLD.uuid;
	DELETE FROM certificates WHERE NOT EXISTS (SELECT 1 FROM device_certificates d
		WHERE d.fingerprint = certificates.fingerprint);
END;
