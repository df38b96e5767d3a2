-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE jobs ADD COLUMN address INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN ad_types BLOB NOT NULL DEFAULT x'';

ALTER TABLE tasks ADD COLUMN new_address INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN method_why TEXT NOT NULL DEFAULT '';

-- A refresh whose outcome is open. step: 0 none, 1 opened (Provisioning Data has not left), 2 data
-- (it may have), 3 complete (the node has it), 4 restore (done; its new state is not read yet).
ALTER TABLE nodes ADD COLUMN refresh_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN refresh_procedure INTEGER NOT NULL DEFAULT 0; -- NPPI 0 to 2
ALTER TABLE nodes ADD COLUMN refresh_address INTEGER NOT NULL DEFAULT 0; -- first of the new range
ALTER TABLE nodes ADD COLUMN refresh_elements INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN refresh_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN refresh_task INTEGER NOT NULL DEFAULT 0;
-- Composition Data page 128 differs from page 0, known since then.
ALTER TABLE nodes ADD COLUMN composition_change INTEGER NOT NULL DEFAULT 0;
CREATE INDEX nodes_refresh ON nodes (refresh_step) WHERE refresh_step > 0;

-- Composition Data pages as last read, without the page octet.
CREATE TABLE node_pages (
	uuid BLOB NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	page INTEGER NOT NULL CHECK (page BETWEEN 0 AND 255),
	data BLOB NOT NULL,
	read_at INTEGER NOT NULL,
	PRIMARY KEY (uuid, page)
) STRICT, WITHOUT ROWID;

-- What a refresh may cost the node's models: as read before it. kind: 0 AppKey binding, 1
-- publication, 2 subscription; value as in its message.
CREATE TABLE model_states (
	uuid BLOB NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	element INTEGER NOT NULL,
	vendor INTEGER NOT NULL,
	model INTEGER NOT NULL,
	kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
	value BLOB NOT NULL,
	PRIMARY KEY (uuid, element, vendor, model, kind, value)
) STRICT, WITHOUT ROWID;

-- Refreshes that were done. before, after: Composition Data page 0.
CREATE TABLE refreshes (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid BLOB NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	at INTEGER NOT NULL,
	procedure INTEGER NOT NULL,
	task INTEGER NOT NULL,
	old_address INTEGER NOT NULL,
	new_address INTEGER NOT NULL,
	before BLOB NOT NULL,
	after BLOB NOT NULL,
	reread INTEGER NOT NULL,
	bindings_restored INTEGER NOT NULL,
	bindings_lost INTEGER NOT NULL,
	publications_restored INTEGER NOT NULL,
	publications_lost INTEGER NOT NULL,
	subscriptions_restored INTEGER NOT NULL,
	subscriptions_lost INTEGER NOT NULL
) STRICT;
CREATE INDEX refreshes_uuid ON refreshes (uuid, id);
