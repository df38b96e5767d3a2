// SPDX-License-Identifier: Apache-2.0
// Small parts that every page uses.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Job } from './api';
import { call } from './api';
import { ended, now, tell } from './store';
import { csv, download, lasted, span } from './words';

export function Chip({ state, children }: { state: string; children?: ComponentChildren }) {
	return <span class={`chip ${state}`}>{children ?? state}</span>;
}

// A button that says that it works, and shows what went wrong.
export function Act({ run, children, kind, disabled, ask }: {
	run: () => Promise<unknown>; children: ComponentChildren; kind?: string; disabled?: boolean; ask?: string;
}) {
	const [busy, setBusy] = useState(false);
	const press = async () => {
		if (ask && !confirm(ask))
			return;
		setBusy(true);
		try {
			await run();
		} catch (error) {
			tell(error);
		}
		setBusy(false);
	};
	return <button class={kind ?? ''} disabled={busy || disabled} aria-busy={busy} onClick={press}>{children}</button>;
}

export function Progress({ job }: { job: Job }) {
	const { total, succeeded, failed } = job.counts;
	const share = (n: number) => `${total ? (100 * n) / total : 0}%`;
	const label = `${succeeded} of ${total} done, ${failed} failed`;
	return (
		<div>
			<div class="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={total} aria-valuenow={succeeded + failed}>
				<span class="ok" style={{ width: share(succeeded) }} />
				<span class="bad" style={{ width: share(failed) }} />
				{!ended(job) && <span class="now" style={{ width: share(job.counts.running) }} />}
			</div>
			<p class="small">
				{label}
				{job.counts.running > 0 && `, ${job.counts.running} running`}
				{job.links.open > 0 && `, ${job.links.open} links open`}
				{' · '}{lasted(job, now.value)}
				{!ended(job) && job.seconds_left !== null && ` · about ${span(job.seconds_left)} left`}
			</p>
		</div>
	);
}

export function JobButtons({ job }: { job: Job }) {
	const order = (verb: string) => () => call('POST', `/jobs/${job.id}/${verb}`);
	const again = job.counts.failed > 0 && <Act run={order('retry')}>Retry failed ({job.counts.failed})</Act>;
	if (ended(job))
		return again || null;
	return (
		<span class="row">
			{again}
			{job.state === 'paused' ? <Act run={order('resume')}>Resume</Act> : <Act run={order('pause')}>Pause</Act>}
			<Act run={order('cancel')} kind="danger" ask="Cancel this job? Links that are open are closed; devices that have joined stay.">Cancel</Act>
		</span>
	);
}

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
	return <div class="empty"><h2>{title}</h2><div>{children}</div></div>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
	return <div class="fact"><dt>{name}</dt><dd>{children}</dd></div>;
}

// Saves what a list shows, as a file that a spreadsheet opens.
export function SaveCsv({ name, what, rows }: { name: string; what: string; rows: () => (string | number | null)[][] }) {
	return <button onClick={() => download(name, csv(rows()))} aria-label={`Save ${what} as CSV`}>CSV</button>;
}

// One of a few, by radio buttons: each with a line that says what it means.
export function Choice<T extends string>({ legend, name, value, set, of }: {
	legend: string; name: string; value: T; set: (value: T) => void; of: { value: T; label: string; says: ComponentChildren; off?: boolean }[];
}) {
	return (
		<fieldset>
			<legend>{legend}</legend>
			{of.map((o) => (
				<label class="inline" key={o.value}>
					<input type="radio" name={name} value={o.value} checked={value === o.value} disabled={o.off} onChange={() => set(o.value)} />
					{' '}<b>{o.label}</b> <span class="dim">{o.says}</span>
				</label>
			))}
		</fieldset>
	);
}
