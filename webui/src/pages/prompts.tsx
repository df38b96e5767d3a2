// SPDX-License-Identifier: Apache-2.0
// Devices that wait for a person: one queue, each with its time; and those that must be asked again.
import { useState } from 'preact/hooks';
import type { Prompt, Task } from '../api';
import { post } from '../api';
import { devices, jobs, leftUntil, loadPrompts, prompts, tasks } from '../store';
import { Act, Empty, SaveCsv } from '../ui';
import { promptText, span } from '../words';

function placeholder(p: Prompt): string {
	return p.type === 'alphanumeric' ? 'letters and digits' : p.type === 'count' ? 'how often' : 'number';
}

function Answer({ prompt, over }: { prompt: Prompt; over: boolean }) {
	const [value, setValue] = useState('');
	const [said, setSaid] = useState<string | null>(null);
	const [wrong, setWrong] = useState<string | null>(null);
	const give = async (body: object, then: string) => {
		setWrong(null);
		try {
			await post(`/oob/${prompt.task}`, body);
			setSaid(then);
		} catch (error) {
			setWrong(error instanceof Error ? error.message : String(error));
		}
		await loadPrompts();
	};
	const send = () => give({ value: prompt.type === 'alphanumeric' ? value.trim().toUpperCase() : value.trim() }, 'Sent. The device is being asked.');
	const id = `answer-${prompt.task}`;
	return (
		<form class="answer" onSubmit={(e) => e.preventDefault()}>
			{prompt.method === 'output-oob' && (
				<>
					<label for={id}>{prompt.type === 'alphanumeric' ? 'Text' : 'Number'}</label>
					<input id={id} value={value} autocomplete="off" placeholder={placeholder(prompt)} aria-describedby={`${id}-says`}
						inputMode={prompt.type === 'alphanumeric' ? 'text' : 'numeric'} aria-invalid={wrong ? true : undefined}
						onInput={(e) => setValue(e.currentTarget.value)} />
					<Act run={send} kind="main" disabled={!value.trim() || over || !!said}>Answer</Act>
				</>
			)}
			<Act run={() => give({ cancel: true }, 'Given up.')} disabled={over}>Cancel</Act>
			<p class="small" id={`${id}-says`} role="status">
				{said ?? (prompt.method === 'input-oob' ? 'The device tells us itself when it is done.' : '')}
			</p>
			{wrong && <p class="warn" role="alert">{wrong}</p>}
		</form>
	);
}

function Card({ prompt, until }: { prompt: Prompt; until: number }) {
	const left = leftUntil(until) ?? 0;
	const heading = `prompt-${prompt.task}`;
	return (
		<article class="card prompt" aria-labelledby={heading}>
			<div class="row spread">
				<h2 id={heading}>{prompt.name ?? prompt.uuid} <span class="dim">{prompt.area ?? 'no area'}</span></h2>
				<span class={`chip ${left < 10 ? 'failed' : 'partial'}`} role="timer" aria-label={`${left} seconds left`}>
					{left > 0 ? `${span(left)} left` : 'time is up'}
				</span>
			</div>
			<p class="ask">{promptText(prompt)}</p>
			<Answer prompt={prompt} over={left === 0} />
			<p class="small">{prompt.method === 'output-oob' ? 'Output' : 'Input'} OOB through {prompt.server} · <a href={`#/jobs/${prompt.job}`}>job {prompt.job}</a></p>
		</article>
	);
}

// The open prompts, those with the least time first.
export function OpenPrompts({ job }: { job?: number }) {
	const open = [...prompts.value.values()].filter((p) => !job || p.prompt.job === job).sort((a, b) => a.until - b.until);
	return <>{open.map((p) => <Card key={`${p.prompt.task}-${p.prompt.asked_at}`} {...p} />)}</>;
}

const byHand = (t: Task) => t.state === 'failed' && (t.method === 'output-oob' || t.method === 'input-oob');

// Wrong answers and prompts whose time ran out: their tasks failed, and can be tried again.
export function AskAgain() {
	const failed = [...tasks.value.values()].flatMap((list) => [...list.values()]).filter(byHand);
	if (failed.length === 0)
		return null;
	const others = (t: Task) => (jobs.value.get(t.job)?.counts.failed ?? 1) - 1;
	return (
		<section>
			<h2>Ask again</h2>
			<ul class="feed" aria-label="Prompts without a good answer">
				{failed.map((t) => (
					<li key={t.id}>
						<b>{t.name ?? t.target}</b> <span class="dim">{devices.value.get(t.target)?.area}</span>
						<span>{t.error?.message} {t.error?.advice}</span>
						<Act run={() => post(`/jobs/${t.job}/retry`)}>Ask again</Act>
						{others(t) > 0 && <span class="small">tries {others(t) === 1 ? 'the other failed task' : `the other ${others(t)} failed tasks`} of job {t.job} again, too</span>}
					</li>
				))}
			</ul>
		</section>
	);
}

export function Prompts() {
	const rows = () => [['task', 'job', 'uuid', 'name', 'area', 'method', 'what', 'expires_at'],
		...[...prompts.value.values()].map(({ prompt: p }) => [p.task, p.job, p.uuid, p.name, p.area, p.method, promptText(p), p.expires_at])];
	return (
		<>
			<div class="row spread">
				<h1>Prompts <span class="dim">{prompts.value.size}</span></h1>
				<SaveCsv name="prompts.csv" what="the prompts" rows={rows} />
			</div>
			{prompts.value.size === 0 && <Empty title="No device waits for you">With the policies “output OOB” and “input OOB”, devices that need a person show up here.</Empty>}
			<OpenPrompts />
			<AskAgain />
		</>
	);
}
