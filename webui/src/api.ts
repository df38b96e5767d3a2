// SPDX-License-Identifier: Apache-2.0
// The REST API as the dashboard uses it; types follow api/openapi.json.

export type ReasonCode = string;
export interface Problem { title: string; status: number; code: string; detail?: string; field?: string }
export interface Failure { code: ReasonCode; message: string; advice: string }
export interface Counts { total: number; succeeded: number; failed: number; running: number; waiting: number; cancelled: number }
export type JobKind = 'scan' | 'provision' | 'configure' | 'remove' | 'identify' |
	'refresh-device-key' | 'refresh-address' | 'refresh-composition' | 'read-composition';
export type JobState = 'queued' | 'running' | 'paused' | 'succeeded' | 'partial' | 'failed' | 'cancelled';
export interface Job {
	id: number; kind: JobKind; state: JobState; counts: Counts; links: { open: number; peak: number };
	options: Record<string, unknown>;
	created_at: string; started_at: string | null; ended_at: string | null;
	seconds_left: number | null; created_by: string | null; error: Failure | null;
}
export type TaskState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';
export interface Task {
	id: number; job: number; target: string; name: string | null; address: string | null; state: TaskState;
	step: string | null; attempts: number; server: string | null; rssi: number | null; started_at: string | null;
	ended_at: string | null; durations: Record<string, number>; error: Failure | null;
	method: Method | null; method_reason: string | null; new_address: string | null; message: string | null; prompt: Prompt | null;
}
export type Method = 'certificate' | 'static-oob' | 'output-oob' | 'input-oob' | 'none';
// A lamp that waits for a person: to read what it shows, or to do something at it.
export interface Prompt {
	task: number; job: number; uuid: string; name: string | null; area: string | null; method: 'output-oob' | 'input-oob';
	action: 'blink' | 'beep' | 'vibrate' | 'number' | 'text' | 'push' | 'twist'; type: 'numeric' | 'alphanumeric' | 'count';
	size: number; value: string | null; asked_at: string; expires_at: string; seconds_left: number; server: string;
}
export interface Sighting { server: string; rssi: number | null; at: string }
export interface Device {
	uuid: string; name: string | null; area: string | null; state: 'missing' | 'heard' | 'provisioning' | 'provisioned' | 'rejected';
	expected: boolean; heard: boolean; oob: string[]; certificate_support: boolean; static_oob: boolean;
	trust: { state: 'unknown' | 'trusted' | 'rejected'; code: ReasonCode | null; message: string | null };
	best_server: string | null; rssi: number | null; first_heard_at: string | null; last_heard_at: string | null;
	address: string | null; sightings: Sighting[];
	local_name: string | null; appearance: { value: string; name: string | null } | null; uri: string | null;
	tx_power: number | null; advertising: { ad_type: string; name: string | null; hex: string }[]; scanned_at: string | null;
}
export interface CertificateFacts { subject: string; issuer: string; serial: string; not_before: string; not_after: string; fingerprint: string }
export interface MeshNode {
	address: string; uuid: string; name: string | null; area: string | null; state: string;
	elements: { address: string; location: string; models: Model[] }[];
	element_count: number; composition: { company: string; product: string; version: string; pages: number[] } | null;
	features: Record<string, string>; default_ttl: number | null; device_key_id: string; device_key_at: string;
	server: boolean; hops: number | null; provisioned_by: string | null; provisioned_at: string;
	last_heard_at: string | null; authentication: string; algorithm: string; certificate: CertificateFacts | null;
	pending: { procedure: 'device-key' | 'address' | 'composition'; step: string; new_address: string | null; since: string } | null;
	composition_change: { since: string } | null;
}
export interface Model { id: string; name: string }
export interface Difference {
	company?: [string, string]; product?: [string, string]; version?: [string, string]; replay_list?: [number, number];
	elements: { index: number; added: Model[]; removed: Model[] }[]; elements_added: number; elements_removed: number;
}
export interface CompositionPage { page: number; read_at: string; size: number; hex: string; decoded: Record<string, unknown> | null }
// What a refresh did to bindings, publications and subscriptions: numbers by name, or lists of sentences.
export type Restored = Record<string, unknown>;
export interface Composition {
	pages: CompositionPage[]; difference: Difference | null; restored: Restored | null;
	history: { at: string; procedure: string; difference: Difference | null }[];
}
// Where a node would move to; to is null where there is no such place.
export interface Move { from: string; to: string | null; elements: number; free: boolean; reason: string | null; quarantined: [string, string] | null }
export interface AddressRange {
	first: string; last: string; state: 'reserved' | 'used' | 'excluded' | 'burnt'; uuid: string | null;
	iv_index: number | null; free_at_iv_index: number | null;
}
export interface Server {
	address: string; uuid: string | null; name: string | null; local: boolean; hops: number | null; state: string;
	links: { open: number; max: number }; device: string | null; load: { succeeded: number; failed: number };
	latency_ms: number | null; sightings: number;
}
export interface Crl { issued_at: string; next_update: string | null; revoked: number; stale: boolean }
export interface TrustAnchor extends CertificateFacts { id: number; added_at: string; valid: boolean; crl: Crl | null }
export interface Verdict {
	verdict: 'trusted' | 'refused' | 'unknown'; code: ReasonCode | null; message: string; advice: string | null;
	anchor: number | null; certificate: CertificateFacts | null; source: 'request' | 'imported' | 'cached' | 'device' | null;
}
export interface Capture {
	id: number; state: 'running' | 'ended'; started_at: string; ended_at: string | null; ended_by: string | null;
	octets: number; frames: number | null; seconds: number | null;
}
// Pre-flight: what must be right around the server; where it is ok, cure is what would be better.
export interface Check { name: string; ok: boolean; message: string; cure: string | null }
export interface Status {
	version: string; time: string; started_at: string; checks: Check[];
	radio: { kind: string; name: string; up: boolean; speed: string | null };
	network: { name: string; iv_index: number; address: string; addresses_free: number };
	counts: { devices: number; heard: number; expected: number; missing: number; unexpected: number; nodes: number; servers: number; trust_anchors: number };
	jobs: Job[]; setup_needed: boolean;
}
export interface Session { kind: string; name: string | null; role: string; setup_needed: boolean }
export interface ImportResult {
	dry_run: boolean; counts: { total: number; added: number; changed: number; unchanged: number; refused: number };
	rows: { line: number; outcome: string; field: string | null; message: string | null }[];
}
export interface Page<T> { items: T[]; next: string | null }

// What to do next, where the sentence of the server does not say it already.
const next: Record<number, string> = {
	0: 'Look whether it runs, and whether this device is in its network; then try again.',
	400: 'Correct it, then try again.', 401: 'Sign in again.', 403: 'Ask an administrator to do it.',
	404: 'Reload this page: it may be gone by now.', 409: 'Wait until that has ended, or stop it first.',
	413: 'Bring it in smaller pieces.', 429: 'Wait a moment, then try again.', 500: 'Try again; if it stays, look into the log of the server.',
	503: 'Wait a moment, then try again.',
};

export class ApiError extends Error {
	constructor(public status: number, public problem: Problem) {
		super(`${(problem.detail || problem.title).replace(/([^.!?])$/, '$1.')} ${next[status] ?? ''}`.trim());
	}
}

export const base = '/api/v1';

export async function call<T>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<T> {
	const headers: Record<string, string> = { Accept: 'application/json' };
	// Writes by cookie carry this type even without a body: no form on another site can send it.
	if (method !== 'GET')
		headers['Content-Type'] = type;
	const payload = body === undefined ? undefined : type === 'application/json' ? JSON.stringify(body) : (body as BodyInit);
	let response: Response;
	try {
		response = await fetch(base + path, { method, headers, body: payload, credentials: 'same-origin' });
	} catch {
		throw new ApiError(0, { title: 'The server does not answer.', status: 0, code: 'unreachable' });
	}
	const text = await response.text();
	let json;
	try {
		json = text ? JSON.parse(text) : undefined;
	} catch {
		throw new ApiError(response.status, { title: 'The answer is not from this server: something stands in between.', status: response.status, code: 'internal' });
	}
	if (!response.ok)
		throw new ApiError(response.status, json ?? { title: response.statusText, status: response.status, code: 'internal' });
	return json as T;
}

export const get = <T>(path: string) => call<T>('GET', path);
export const post = <T>(path: string, body?: unknown, type?: string) => call<T>('POST', path, body, type);
export const del = (path: string) => call<void>('DELETE', path);

// Every page of a list, in order.
export async function all<T>(path: string): Promise<T[]> {
	const items: T[] = [];
	let cursor: string | null = null;
	do {
		const mark: string = path.includes('?') ? '&' : '?';
		const page: Page<T> = await get(`${path}${mark}limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
		items.push(...page.items);
		cursor = page.next;
	} while (cursor);
	return items;
}
