-- SPDX-License-Identifier: Apache-2.0
-- The public key of a device that its list tells: 64 octets, X and Y. Not a secret.
ALTER TABLE devices ADD COLUMN oob_public_key BLOB;
