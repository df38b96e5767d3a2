// SPDX-License-Identifier: Apache-2.0
// Choose, check trust, start; then live progress for each device, and the building filling up.
import { useState } from 'preact/hooks';
import type { Job, Task } from '../api';
import { post } from '../api';
import { go } from '../router';
import { anchors, chosenDevices, devices, ended, jobs, loadTasks, newestFirst, tasks, tell } from '../store';
import { Act, Chip, Choice, Empty, JobButtons, Progress } from '../ui';
import { methodName, stepText } from '../words';
import { OpenPrompts } from './prompts';

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

type Policy = 'certificate' | 'static-oob' | 'output-oob' | 'input-oob' | 'none';

const byHand = 'Prompts open here and under “Prompts” while the job goes on with the other devices. Where the list gives a static value, that is taken and nobody is asked.';

const policies: { value: Policy; label: string; says: string; note?: string }[] = [
	{ value: 'certificate', label: 'Certificate', says: 'Each device shows the certificate of its maker, checked against your trust anchors. Nobody has to be there.' },
	{ value: 'static-oob', label: 'Static OOB', says: 'Each device knows the secret value that the imported list gives for it.' },
	{ value: 'output-oob', label: 'Output OOB', says: 'The device shows, blinks or beeps a value; somebody near it enters that here.',
		note: `${byHand} A device that can only take a value is asked by input OOB, which is as strong.` },
	{ value: 'input-oob', label: 'Input OOB', says: 'This page shows a value; somebody enters it at the device.',
		note: `${byHand} A device that can only show a value is asked by output OOB, which is as strong.` },
	{ value: 'none', label: 'None', says: 'Nothing is proven, but where the list gives a static value.', note: 'Anybody near could join in a device’s place, or listen. Take this only where nobody else is in reach.' },
];

function Start() {
	const [policy, setPolicy] = useState<Policy>('certificate');
	const chosen = policies.find((p) => p.value === policy)!;
	const [links, setLinks] = useState('');
	const [wants, setWants] = useState<'all' | 'chosen'>('chosen');
	const known = [...devices.value.values()];
	const some = [...chosenDevices.value].map(String).filter((u) => devices.value.has(u) && devices.value.get(u)!.state !== 'provisioned');
	const who = some.length > 0 ? wants : 'all';
	const ready = known.filter((d) => d.state !== 'provisioned' && d.state !== 'rejected' && (d.expected || d.certificate_support)).length;
	const begin = async () => {
		const options: Record<string, unknown> = { policy };
		if (links)
			options.max_links = Number(links);
		const job = await post<Job>('/jobs', { kind: 'provision', targets: who === 'all' ? 'all-trusted' : some, options });
		chosenDevices.value = new Set();
		jobs.value = new Map(jobs.value).set(job.id, job);
	};
	const noTrust = policy === 'certificate' && anchors.value.length === 0;
	return (
		<form class="card" onSubmit={(e) => e.preventDefault()}>
			<p><b>{ready}</b> devices are expected or heard and not yet nodes. More may be found on the way: each new node that can, listens for its neighbours.</p>
			{some.length > 0 && (
				<Choice legend="Which" name="which" value={who} set={setWants} of={[
					{ value: 'chosen', label: `The ${some.length} selected`, says: some.slice(0, 5).map((u) => devices.value.get(u)!.name ?? u).join(', ') + (some.length > 5 ? ' and others' : '') },
					{ value: 'all', label: 'Every trusted device', says: 'expected, or heard with a certificate' },
				]} />
			)}
			<Choice legend="How devices prove who they are; never weaker than this" name="policy" value={policy} set={setPolicy} of={policies} />
			{chosen.note && <p class={policy === 'none' ? 'warn' : 'small'}>{chosen.note}</p>}
			<label>Links at once<input type="number" min="1" max="64" placeholder="automatic" value={links} onInput={(e) => setLinks(e.currentTarget.value)} /></label>
			{noTrust && <p class="warn">There is no trust anchor, so every certificate would be refused. <a href="#/trust">Add one first</a></p>}
			<Act run={begin} kind="main" disabled={noTrust}>{who === 'all' ? 'Provision every trusted device' : `Provision ${some.length} selected`}</Act>
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
			<OpenPrompts />
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
			{task.method && <span class="small">by {methodName[task.method] ?? task.method}{task.method_reason && `: ${task.method_reason}`}</span>}
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
