// SPDX-License-Identifier: Apache-2.0
import { useMemo, useState } from 'preact/hooks';
import type { Task } from '../api';
import { jobs, loadTasks, newestFirst, now, tasks, tell } from '../store';
import { Column, Table } from '../table';
import { Chip, Empty, JobButtons, Progress } from '../ui';
import { csv, download, jobName, lasted, stepText } from '../words';

export function Jobs() {
	return (
		<>
			<h1>Jobs</h1>
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

const columns: Column<Task>[] = [
	{ name: 'Target', show: (t) => <b>{t.name ?? t.target}</b>, sort: (t) => t.name ?? t.target },
	{ name: 'State', show: (t) => <Chip state={t.state} />, sort: (t) => t.state },
	{ name: 'What', show: (t) => <span title={t.error?.advice}>{stepText(t)}{t.error && <> <code>{t.error.code}</code></>}</span>, sort: (t) => t.error?.code ?? t.step ?? '' },
	{ name: 'Server', show: (t) => t.server ?? '–', sort: (t) => t.server ?? '', wide: true },
	{ name: 'Attempts', show: (t) => t.attempts, sort: (t) => -t.attempts, wide: true },
	{ name: 'Seconds', show: (t) => (Object.values(t.durations).reduce((a, b) => a + b, 0) / 1000).toFixed(1), sort: (t) => Object.values(t.durations).reduce((a, b) => a + b, 0), wide: true },
];

const states = ['all', 'running', 'waiting', 'failed', 'succeeded', 'cancelled'];

export function JobPage({ id }: { id: number }) {
	const [state, setState] = useState('all');
	const job = jobs.value.get(id);
	const mine = tasks.value.get(id);
	if (job && !mine)
		void loadTasks(id).catch(tell);
	const rows = useMemo(() => [...(mine?.values() ?? [])].filter((t) => state === 'all' || t.state === state), [mine, state]);
	const reasons = useMemo(() => {
		const found = new Map<string, { n: number; message: string; advice: string }>();
		for (const t of mine?.values() ?? []) {
			if (t.error)
				found.set(t.error.code, { n: (found.get(t.error.code)?.n ?? 0) + 1, message: t.error.message, advice: t.error.advice });
		}
		return [...found];
	}, [mine]);
	if (!job)
		return <p>There is no job {id}. <a href="#/jobs">All jobs</a></p>;
	const save = () => download(`job-${id}.csv`, csv([['target', 'name', 'state', 'step', 'attempts', 'server', 'code', 'message'],
		...rows.map((t) => [t.target, t.name, t.state, t.step, t.attempts, t.server, t.error?.code ?? null, t.error?.message ?? null])]));
	return (
		<>
			<p><a href="#/jobs">Jobs</a></p>
			<article class="card">
				<div class="row spread">
					<h1>{jobName[job.kind]} · job {job.id} <Chip state={job.state} /></h1>
					<span class="row"><button onClick={save}>CSV</button><JobButtons job={job} /></span>
				</div>
				<Progress job={job} />
				<p class="small">Most links at once: {job.links.peak} · took {lasted(job, now.value)}</p>
				{job.error && <p class="warn">{job.error.message} {job.error.advice}</p>}
			</article>
			{reasons.length > 0 && (
				<section class="card">
					<h2>What went wrong, and what to do</h2>
					<dl class="reasons">{reasons.map(([code, r]) => <div key={code}><dt>{r.n} × {r.message} <code>{code}</code></dt><dd>{r.advice}</dd></div>)}</dl>
				</section>
			)}
			<div class="row filters" role="group" aria-label="Filter">
				{states.map((s) => <button key={s} aria-pressed={state === s} onClick={() => setState(s)}>{s}</button>)}
			</div>
			{rows.length > 0 && <Table label="Tasks" rows={rows} columns={columns} id={(t) => t.id} />}
		</>
	);
}
