// SPDX-License-Identifier: Apache-2.0
// Names and numbers as people read them.
import type { Job, Model, Prompt, Task } from './api';

export const jobName: Record<string, string> = {
	scan: 'Scan', provision: 'Provision', configure: 'Configure', remove: 'Remove', identify: 'Identify',
	'refresh-device-key': 'Renew device keys', 'refresh-address': 'Move addresses',
	'refresh-composition': 'Renew compositions', 'read-composition': 'Read compositions',
};

export const methodName: Record<string, string> = {
	certificate: 'certificate', 'static-oob': 'static OOB value', 'output-oob': 'output OOB',
	'input-oob': 'input OOB', none: 'no authentication',
};

export const procedureName: Record<string, string> = { 'device-key': 'device key', address: 'address', composition: 'composition' };

// What a person has to do for this prompt, in one sentence.
export function promptText(p: Prompt): string {
	// Viewers are not told.
	const times = p.value === null ? 'as often as an installer is told' : p.value === '1' ? 'once' : `${p.value} times`;
	switch (p.action) {
	case 'blink': return 'The device blinks a number of times: count, then enter how often.';
	case 'beep': return 'The device beeps a number of times: count, then enter how often.';
	case 'vibrate': return 'The device vibrates a number of times: count, then enter how often.';
	case 'push': return `Press the button of the device ${times}.`;
	case 'twist': return `Turn the knob of the device ${times}.`;
	}
	if (p.method === 'input-oob')
		return p.value === null ? 'Enter at the device what an installer is told.' : `Enter ${p.value} at the device.`;
	return p.type === 'alphanumeric'
		? `The device shows a text of ${p.size === 1 ? '1 character' : `up to ${p.size} characters`}: enter it.`
		: `The device shows a number of ${p.size === 1 ? '1 digit' : `up to ${p.size} digits`}: enter it.`;
}

export const modelText = (m: Model) => (m.name ? `${m.name} (${m.id})` : m.id);

const steps: Record<string, string> = {
	choose_server: 'choosing a server', open_link: 'opening the link', records: 'reading the certificate',
	read_records: 'reading the certificate', certificate: 'checking the certificate', invite: 'inviting',
	agree_key: 'agreeing on a key', deliver_data: 'sending the network data', close_link: 'closing the link',
	prove_key: 'proving the key', composition: 'reading the composition', configure: 'configuring',
	await_oob: 'waiting for a person', prompt: 'waiting for a person', wait_oob: 'waiting for a person',
};

export const stepName = (step: string | null) => steps[step ?? ''] ?? (step ?? 'starting').replace(/_/g, ' ');

export function stepText(task: Task): string {
	if (task.prompt)
		return 'waiting for a person';
	if (task.state === 'running')
		return stepName(task.step);
	if (task.state === 'succeeded')
		return task.message ?? (task.new_address ? `moved to ${task.new_address}` : task.address && task.target !== task.address ? `node ${task.address}` : 'done');
	if (task.state === 'failed')
		return task.error?.message ?? 'failed';
	return task.attempts > 0 ? 'waiting to try again' : task.state;
}

export function ago(time: string | null, now: number): string {
	if (!time)
		return 'never';
	const s = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
	if (s < 60)
		return `${s} s ago`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min ago`;
	return s < 86400 ? `${Math.floor(s / 3600)} h ago` : new Date(time).toLocaleDateString();
}

export function span(seconds: number): string {
	const s = Math.max(0, Math.round(seconds));
	return s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
}

export function lasted(job: Job, now: number): string {
	if (!job.started_at)
		return 'not started';
	return span(((job.ended_at ? Date.parse(job.ended_at) : now) - Date.parse(job.started_at)) / 1000);
}

export const shortUuid = (uuid: string) => `${uuid.slice(0, 8)}…${uuid.slice(-4)}`;

export function csv(rows: (string | number | null)[][]): string {
	const cell = (v: string | number | null) => {
		const text = v === null ? '' : String(v);
		// A leading = + - @ would be a formula to a spreadsheet; the names come from outside.
		const safe = typeof v === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
		return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
	};
	return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

export const dateTime = (time: string | null) => (time ? new Date(time).toLocaleString() : '–');
export const date = (time: string | null) => (time ? new Date(time).toLocaleDateString() : '–');

export function download(name: string, text: string): void {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
