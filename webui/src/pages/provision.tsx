// SPDX-License-Identifier: Apache-2.0
// Choose, check trust, start; then live progress for each device, and the building filling up.
import { useState } from 'preact/hooks';
import type { Job, Task } from '../api';
import { post } from '../api';
import { go } from '../router';
import { anchors, devices, ended, jobs, loadTasks, newestFirst, tasks, tell } from '../store';
import { Act, Chip, Empty, JobButtons, Progress } from '../ui';
import { stepText } from '../words';

export function Provision() {
	const job = newestFirst.value.find((j) => j.kind === 'provision');
	return (
		<>
			<h1>Provision</h1>
			{(!job || ended(job)) && <Start />}
			{job && <Live job={job} />}
		</>
	);
}

function Start() {
	const [policy, setPolicy] = useState('certificate');
	const [links, setLinks] = useState('');
	const known = [...devices.value.values()];
	const ready = known.filter((d) => d.state !== 'provisioned' && d.state !== 'rejected' && (d.expected || d.certificate_support)).length;
	const begin = async () => {
		const options: Record<string, unknown> = { policy };
		if (links)
			options.max_links = Number(links);
		const job = await post<Job>('/jobs', { kind: 'provision', targets: 'all-trusted', options });
		jobs.value = new Map(jobs.value).set(job.id, job);
	};
	const noTrust = policy === 'certificate' && anchors.value.length === 0;
	return (
		<form class="card" onSubmit={(e) => e.preventDefault()}>
			<p><b>{ready}</b> devices are expected or heard and not yet nodes. More may be found on the way: each new node that can, listens for its neighbours.</p>
			<fieldset>
				<legend>Authentication</legend>
				<label class="inline"><input type="radio" name="policy" checked={policy === 'certificate'} onChange={() => setPolicy('certificate')} /> Certificate (each device proves its identity)</label>
				<label class="inline"><input type="radio" name="policy" checked={policy === 'static-oob'} onChange={() => setPolicy('static-oob')} /> Static OOB values of the imported list</label>
				<label class="inline"><input type="radio" name="policy" checked={policy === 'none'} onChange={() => setPolicy('none')} /> None: anybody near could join or listen</label>
			</fieldset>
			<label>Links at once<input type="number" min="1" max="64" placeholder="automatic" value={links} onInput={(e) => setLinks(e.currentTarget.value)} /></label>
			{noTrust && <p class="warn">There is no trust anchor, so every certificate would be refused. <a href="#/trust">Add one first</a></p>}
			<Act run={begin} kind="main" disabled={noTrust}>Provision every trusted device</Act>
		</form>
	);
}

const order: Record<string, number> = { running: 0, failed: 1, waiting: 2, cancelled: 3, succeeded: 4 };

function Live({ job }: { job: Job }) {
	const mine = tasks.value.get(job.id);
	if (!mine)
		void loadTasks(job.id).catch(tell);
	const list = [...(mine?.values() ?? [])];
	const running = list.filter((t) => t.state === 'running' || t.state === 'failed')
		.sort((a, b) => order[a.state] - order[b.state] || a.id - b.id);
	return (
		<>
			<article class="card">
				<div class="row spread">
					<h2><a href={`#/jobs/${job.id}`}>Job {job.id}</a> <Chip state={job.state} /></h2>
					<JobButtons job={job} />
				</div>
				<Progress job={job} />
				{job.error && <p class="warn">{job.error.message} {job.error.advice}</p>}
			</article>
			<Building list={list} />
			{list.length === 0 && <Empty title="Looking around">The first devices appear as soon as their beacons are heard.</Empty>}
			<ul class="feed" aria-label="Devices at work and failed">
				{running.map((t) => <Line key={t.id} task={t} />)}
			</ul>
		</>
	);
}

function Line({ task }: { task: Task }) {
	return (
		<li class={task.state}>
			<b>{task.name ?? task.target}</b>
			<Chip state={task.state} />
			<span>{stepText(task)}{task.server && task.state === 'running' ? ` through ${task.server}` : ''}</span>
			{task.error && <span class="small">{task.error.advice} <code>{task.error.code}</code></span>}
		</li>
	);
}

// "Site / floor / room": a floor is a panel of its own.
const floorOf = (area: string | null | undefined) => area?.split('/').slice(0, 2).map((s) => s.trim()).join(' / ') ?? 'No area';

// One square for each device, by floor: it fills up while the job runs.
function Building({ list }: { list: Task[] }) {
	const areas = new Map<string, Task[]>();
	for (const task of list) {
		const area = floorOf(devices.value.get(task.target)?.area);
		areas.set(area, [...(areas.get(area) ?? []), task]);
	}
	return (
		<div class="building">
			{[...areas].sort(([a], [b]) => b.localeCompare(a, undefined, { numeric: true })).map(([area, here]) => (
				<section key={area} aria-label={area}>
					<h3>{area} <span class="dim">{here.filter((t) => t.state === 'succeeded').length}/{here.length}</span></h3>
					<div class="squares">
						{here.sort((a, b) => (a.name ?? a.target).localeCompare(b.name ?? b.target, undefined, { numeric: true })).map((t) => (
							<button key={t.id} class={`square ${t.state}`} title={`${t.name ?? t.target}: ${stepText(t)}`} aria-label={`${t.name ?? t.target}: ${stepText(t)}`}
								onClick={() => t.address && t.state === 'succeeded' ? go(`/nodes/${t.address}`) : go(`/jobs/${t.job}`)} />
						))}
					</div>
				</section>
			))}
		</div>
	);
}
