// SPDX-License-Identifier: Apache-2.0
// "Which one is it?": one device or node blinks at a time; its button counts the seconds down.
import { signal } from '@preact/signals';
import type { Job } from './api';
import { post } from './api';
import { activeJobs, ended, jobDeadlines, jobs, leftUntil, newestFirst, tasks, tell } from './store';

const seconds = 15;
const asked = signal<number | null>(null); // the last job that this page began

async function identify(target: string): Promise<void> {
	try {
		const job = await post<Job>('/jobs', { kind: 'identify', targets: [target], options: { seconds } });
		asked.value = job.id;
		jobs.value = new Map(jobs.value).set(job.id, job);
	} catch (error) {
		tell(error);
	}
}

const taskOf = (job: number, target: string) =>
	[...(tasks.value.get(job)?.values() ?? [])].find((t) => t.target === target || t.address === target);

// Stops the blinking that the button counts.
async function stop(job: number): Promise<void> {
	try {
		await post(`/jobs/${job}/cancel`);
	} catch (error) {
		if (!ended(jobs.value.get(job)!))
			tell(error);
	}
}

export function IdentifyButton({ target, name }: { target: string; name: string }) {
	const job = activeJobs.value.find((j) => j.kind === 'identify' && taskOf(j.id, target));
	const task = job && taskOf(job.id, target);
	const blinks = task?.state === 'running' && (task.step === 'attend' || task.step === 'blink');
	const left = job ? leftUntil(jobDeadlines.value.get(job.id)) : null;
	const text = blinks ? (left === null ? 'Blinking' : `${left} s`) : job ? 'Calling…' : 'Identify';
	const label = blinks ? `${name} blinks${left === null ? '' : `, ${left} seconds left`}: press to stop` : job ? `Calling ${name}: press to stop` : `Identify ${name}`;
	const press = (event: Event) => {
		event.stopPropagation();
		void (job ? stop(job.id) : identify(target));
	};
	return <button class={`mini ${blinks ? 'blinks' : ''}`} aria-label={label} onClick={press}>{text}</button>;
}

// What became of the last one, for eyes and for a screen reader.
export function IdentifyStatus() {
	const job = newestFirst.value.find((j) => j.kind === 'identify' && j.id === asked.value);
	const task = job && [...(tasks.value.get(job.id)?.values() ?? [])][0];
	const text = !task ? ''
		: task.error && task.error.code !== 'cancelled' ? `${task.name ?? task.target}: ${task.error.message} ${task.error.advice}`
			: task.state === 'running' ? `${task.name ?? task.target} blinks now.` : '';
	return <p role="status" class={task?.error && text ? 'warn' : 'small'}>{text}</p>;
}
