// SPDX-License-Identifier: Apache-2.0
import { signal } from '@preact/signals';
import { useMemo, useState } from 'preact/hooks';
import type { Failure, Task } from '../api';
import { jobs, loadTasks, newestFirst, now, prompts, tasks, tell } from '../store';
import { Column, Table } from '../table';
import { Chip, Empty, Fact, JobButtons, Progress, SaveCsv } from '../ui';
import { jobName, lasted, methodName, stepName, stepText } from '../words';
import { OpenPrompts } from './prompts';

export function Jobs() {
	const rows = () => [['id', 'kind', 'state', 'total', 'succeeded', 'failed', 'cancelled', 'created_at', 'started_at', 'ended_at', 'created_by', 'code', 'message'],
		...newestFirst.value.map((j) => [j.id, j.kind, j.state, j.counts.total, j.counts.succeeded, j.counts.failed, j.counts.cancelled,
			j.created_at, j.started_at, j.ended_at, j.created_by, j.error?.code ?? null, j.error?.message ?? null])];
	return (
		<>
			<div class="row spread">
				<h1>Jobs</h1>
				<SaveCsv name="jobs.csv" what="the jobs" rows={rows} />
			</div>
			{newestFirst.value.length === 0 && <Empty title="No jobs yet"><a class="button main" href="#/provision">Provision the building</a></Empty>}
			{newestFirst.value.map((job) => (
				<article class="card" key={job.id}>
					<div class="row spread">
						<h2><a href={`#/jobs/${job.id}`}>{jobName[job.kind]} · job {job.id}</a> <Chip state={job.state} /></h2>
						<JobButtons job={job} />
					</div>
					<Progress job={job} />
				</article>
			))}
		</>
	);
}

const shown = signal<number | null>(null); // the task whose facts are open

const columns: Column<Task>[] = [
	{ name: 'Target', show: (t) => <button class="plain name" aria-expanded={shown.value === t.id} onClick={(e) => { e.stopPropagation(); show(t); }}>{t.name ?? t.target}</button>, sort: (t) => t.name ?? t.target },
	{ name: 'State', show: (t) => <Chip state={t.state} />, sort: (t) => t.state },
	{ name: 'What', show: (t) => <span title={`${stepText(t)} ${t.error?.advice ?? ''}`}>{t.prompt ? <a href="#/prompts">{stepText(t)}</a> : stepText(t)}{t.error && <> <code>{t.error.code}</code></>}</span>, sort: (t) => t.error?.code ?? t.step ?? '' },
	{ name: 'Method', show: (t) => <span title={t.method_reason ?? undefined}>{t.method ? methodName[t.method] ?? t.method : '–'}</span>, sort: (t) => t.method ?? '', wide: true },
	{ name: 'Server', show: (t) => t.server ?? '–', sort: (t) => t.server ?? '', wide: true },
	{ name: 'RSSI', show: (t) => (t.rssi === null ? '–' : `${t.rssi} dBm`), sort: (t) => -(t.rssi ?? -999), wide: true },
	{ name: 'Attempts', show: (t) => t.attempts, sort: (t) => -t.attempts, wide: true },
	{ name: 'Seconds', show: (t) => (Object.values(t.durations).reduce((a, b) => a + b, 0) / 1000).toFixed(1), sort: (t) => Object.values(t.durations).reduce((a, b) => a + b, 0), wide: true },
];

const csvHead = ['target', 'name', 'state', 'step', 'attempts', 'server', 'rssi', 'address', 'new_address', 'method', 'method_reason', 'said', 'code', 'message', 'advice'];
const states = ['all', 'running', 'waiting', 'failed', 'succeeded', 'cancelled'];

const show = (t: Task) => (shown.value = shown.value === t.id ? null : t.id);

// One task in full: what it did, what went wrong, what to do.
function Facts({ task: t }: { task: Task | undefined }) {
	return (
		<div role="status">
			{t && (
				<section class="card">
					<div class="row spread"><h2>{t.name ?? t.target} <Chip state={t.state} /></h2><button onClick={() => show(t)}>Close</button></div>
					<p>{stepText(t)} {t.error && <><code>{t.error.code}</code> <b>What to do:</b> {t.error.advice}</>}</p>
					<dl class="facts">
						<Fact name="Target">{t.target}</Fact>
						<Fact name="Phase">{stepName(t.step)}</Fact>
						<Fact name="Address">{t.address ? <a href={`#/nodes/${t.new_address && t.state === 'succeeded' ? t.new_address : t.address}`}>{t.address}{t.new_address && ` → ${t.new_address}`}</a> : '–'}</Fact>
						<Fact name="Server">{t.server ?? '–'}{t.rssi !== null && `, ${t.rssi} dBm`}</Fact>
						<Fact name="Attempts">{t.attempts}</Fact>
						<Fact name="Authenticated by">{t.method ? `${methodName[t.method] ?? t.method}. ${t.method_reason ?? ''}` : '–'}</Fact>
						<Fact name="Seconds by phase">{Object.entries(t.durations).map(([k, v]) => `${k} ${(v / 1000).toFixed(1)}`).join(', ') || '–'}</Fact>
					</dl>
				</section>
			)}
		</div>
	);
}

// How the devices of this job were authenticated, and why so.
function Methods({ tasks: mine }: { tasks: ReadonlyMap<number, Task> | undefined }) {
	const found = new Map<string, { n: number; method: string; why: string }>();
	for (const t of mine?.values() ?? []) {
		if (!t.method)
			continue;
		const key = `${t.method} ${t.method_reason ?? ''}`;
		found.set(key, { n: (found.get(key)?.n ?? 0) + 1, method: t.method, why: t.method_reason ?? '' });
	}
	if (found.size === 0)
		return null;
	return (
		<section class="card">
			<h2>How they were authenticated, and why</h2>
			<dl class="reasons">{[...found].map(([key, m]) => <div key={key}><dt>{m.n} × {methodName[m.method] ?? m.method}</dt><dd>{m.why}</dd></div>)}</dl>
		</section>
	);
}

export function JobPage({ id }: { id: number }) {
	const [state, setState] = useState('all');
	const job = jobs.value.get(id);
	const mine = tasks.value.get(id);
	if (job && !mine)
		void loadTasks(id).catch(tell);
	const rows = useMemo(() => [...(mine?.values() ?? [])].filter((t) => state === 'all' || t.state === state), [mine, state]);
	const reasons = useMemo(() => {
		const found = new Map<string, Failure & { n: number }>();
		for (const t of mine?.values() ?? []) {
			if (t.error) {
				const key = `${t.error.code} ${t.error.message}`;
				found.set(key, { ...t.error, n: (found.get(key)?.n ?? 0) + 1 });
			}
		}
		return [...found];
	}, [mine]);
	if (!job)
		return <p>There is no job {id}. <a href="#/jobs">All jobs</a></p>;
	const rowsCsv = () => [csvHead, ...rows.map((t) => [t.target, t.name, t.state, t.step, t.attempts, t.server, t.rssi, t.address, t.new_address,
		t.method, t.method_reason, t.message, t.error?.code ?? null, t.error?.message ?? null, t.error?.advice ?? null])];
	return (
		<>
			<p><a href="#/jobs">Jobs</a></p>
			<article class="card">
				<div class="row spread">
					<h1>{jobName[job.kind]} · job {job.id} <Chip state={job.state} /></h1>
					<span class="row"><SaveCsv name={`job-${id}.csv`} what="the tasks" rows={rowsCsv} /><JobButtons job={job} /></span>
				</div>
				<Progress job={job} />
				<p class="small">Most links at once: {job.links.peak} · took {lasted(job, now.value)}</p>
				{job.error && <p class="warn">{job.error.message} {job.error.advice}</p>}
			</article>
			{[...prompts.value.values()].some((p) => p.prompt.job === id) && <OpenPrompts job={id} />}
			<Methods tasks={mine} />
			{reasons.length > 0 && (
				<section class="card">
					<h2>What went wrong, and what to do</h2>
					<dl class="reasons">{reasons.map(([key, r]) => <div key={key}><dt>{r.n} × {r.message} <code>{r.code}</code></dt><dd>{r.advice}</dd></div>)}</dl>
				</section>
			)}
			<div class="row filters" role="group" aria-label="Filter">
				{states.map((s) => <button key={s} aria-pressed={state === s} onClick={() => setState(s)}>{s}</button>)}
			</div>
			<Facts task={shown.value === null ? undefined : mine?.get(shown.value)} />
			{rows.length > 0 && <Table label="Tasks" rows={rows} columns={columns} id={(t) => t.id} open={show} />}
		</>
	);
}
