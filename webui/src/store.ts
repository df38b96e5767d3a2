// SPDX-License-Identifier: Apache-2.0
// What the dashboard knows: lists read once, then kept true by the event stream.
import { computed, signal } from '@preact/signals';
import { all, ApiError, Device, get, Job, MeshNode, Prompt, Server, Session, Status, Task, TrustAnchor } from './api';

export const session = signal<Session | null | undefined>(undefined); // undefined: not asked yet
export const status = signal<Status | null>(null);
export const connected = signal(false);
export const devices = signal<ReadonlyMap<string, Device>>(new Map());
export const nodes = signal<ReadonlyMap<string, MeshNode>>(new Map());
export const jobs = signal<ReadonlyMap<number, Job>>(new Map());
export const tasks = signal<ReadonlyMap<number, ReadonlyMap<number, Task>>>(new Map());
export const servers = signal<Server[]>([]);
export const anchors = signal<TrustAnchor[]>([]);
export const notice = signal<string | null>(null);
export const now = signal(Date.now());
// When a job, or a prompt, is over by this browser's clock, which may differ from the server's.
export const jobDeadlines = signal<ReadonlyMap<number, number>>(new Map());
export const prompts = signal<ReadonlyMap<number, { prompt: Prompt; until: number }>>(new Map());

// Devices chosen on the Scan page, for a job on the Provision page.
export const chosenDevices = signal<ReadonlySet<string | number>>(new Set());

export const leftUntil = (until: number | undefined) => until === undefined ? null : Math.max(0, Math.ceil((until - now.value) / 1000));

export const activeJobs = computed(() => [...jobs.value.values()].filter((j) => !ended(j)));
export const newestFirst = computed(() => [...jobs.value.values()].sort((a, b) => b.id - a.id));

export function ended(job: Job): boolean {
	return ['succeeded', 'partial', 'failed', 'cancelled'].includes(job.state);
}

export function tell(error: unknown): void {
	notice.value = error instanceof Error ? error.message : String(error);
}

const by = <K, T>(items: T[], key: (item: T) => K) => new Map(items.map((item) => [key(item), item]));

// Many events come in one frame: collected, and shown together.
let pending: (() => void)[] = [];
function soon(change: () => void): void {
	if (pending.push(change) === 1)
		requestAnimationFrame(() => {
			const work = pending;
			pending = [];
			const d = new Map(devices.value), n = new Map(nodes.value), j = new Map(jobs.value), t = new Map(tasks.value);
			draft = { d, n, j, t };
			for (const apply of work)
				apply();
			devices.value = d;
			nodes.value = n;
			jobs.value = j;
			tasks.value = t;
		});
}
let draft: { d: Map<string, Device>; n: Map<string, MeshNode>; j: Map<number, Job>; t: Map<number, ReadonlyMap<number, Task>> };

// seconds_left is mesh time: in a simulated building it may run faster than this clock.
function noteDeadlines(list: Job[]): void {
	const next = new Map(jobDeadlines.value);
	const speed = Number(status.value?.radio.speed ?? 1) || 1;
	for (const job of list) {
		if (ended(job) || job.seconds_left === null)
			next.delete(job.id);
		else
			next.set(job.id, Date.now() + (1000 * job.seconds_left) / speed);
	}
	jobDeadlines.value = next;
}

export async function loadPrompts(): Promise<void> {
	const list = await all<Prompt>('/oob');
	const at = Date.now();
	prompts.value = new Map(list.map((prompt) => [prompt.task, { prompt, until: at + 1000 * prompt.seconds_left }]));
}

let asking = 0, asked = false;
function promptsSoon(): void {
	if (!asking)
		asking = window.setTimeout(() => {
			asking = 0;
			asked = true;
			void loadPrompts().catch(tell).finally(() => (asked = false));
		}, 100);
}

// A job's tasks are read as a whole once. What events say meanwhile is newer, and put on top.
const early = new Map<number, Task[]>();

function putTask(task: Task): void {
	// An answer on its way may be older than this event.
	if (task.prompt || prompts.value.has(task.id) || asked)
		promptsSoon();
	if (early.has(task.job))
		early.get(task.job)!.push(task);
	else if (draft.t.has(task.job))
		draft.t.set(task.job, new Map(draft.t.get(task.job)).set(task.id, task));
	else
		void loadTasks(task.job).catch(tell);
}

export async function loadTasks(job: number): Promise<void> {
	if (early.has(job))
		return;
	early.set(job, []);
	try {
		const list = await all<Task>(`/jobs/${job}/tasks`);
		tasks.value = new Map(tasks.value).set(job, by([...list, ...early.get(job)!], (t) => t.id));
	} finally {
		early.delete(job);
	}
}

export async function refresh(): Promise<void> {
	const [s, d, n, j, sv, ta] = await Promise.all([
		get<Status>('/status'), all<Device>('/devices'), all<MeshNode>('/nodes'), all<Job>('/jobs'),
		all<Server>('/servers'), all<TrustAnchor>('/trust-anchors'),
	]);
	status.value = s;
	devices.value = by(d, (x) => x.uuid);
	nodes.value = by(n, (x) => x.address);
	jobs.value = by(j, (x) => x.id);
	servers.value = sv;
	anchors.value = ta;
	noteDeadlines(j);
	await loadPrompts();
	await Promise.all(newestFirst.value.slice(0, 1).concat(activeJobs.value).map((job) => loadTasks(job.id)));
}

export async function refreshStatus(): Promise<void> {
	const read = await get<Status>('/status');
	status.value = read;
	noteDeadlines(read.jobs);
}

let stream: EventSource | null = null;

function listen(): void {
	stream?.close();
	const s = new EventSource('/api/v1/events');
	stream = s;
	const on = (name: string, act: (data: any) => void) =>
		s.addEventListener(name, (e) => {
			const data = JSON.parse((e as MessageEvent).data);
			soon(() => act(data));
		});
	s.onopen = () => (connected.value = true);
	s.onerror = () => (connected.value = false);
	on('device.changed', (x: Device) => draft.d.set(x.uuid, x));
	on('device.removed', (x: { uuid: string }) => draft.d.delete(x.uuid));
	on('node.changed', (x: MeshNode) => draft.n.set(x.address, x));
	on('node.removed', (x: { address: string }) => draft.n.delete(x.address));
	on('job.changed', (x: Job) => {
		draft.j.set(x.id, x);
		noteDeadlines([x]);
	});
	on('task.changed', putTask);
	on('server.changed', (x: Server) => (servers.value = [...servers.value.filter((s) => s.address !== x.address), x]));
	on('server.removed', (x: { address: string }) => (servers.value = servers.value.filter((s) => s.address !== x.address)));
	on('radio.changed', () => void refreshStatus().catch(tell)); // the checks change with it
	s.addEventListener('reset', () => void refresh().catch(tell));
}

// Signed in? Then everything is read and the stream opened; else the sign-in page shows.
export async function start(): Promise<void> {
	try {
		session.value = await get<Session>('/session');
		if (session.value.setup_needed && session.value.kind === 'session')
			return;
		await refresh();
		listen();
	} catch (error) {
		if (error instanceof ApiError && error.status === 401)
			session.value = null;
		else
			tell(error);
	}
}

export function stop(): void {
	stream?.close();
	stream = null;
	connected.value = false;
	session.value = null;
}

let ticks = 0;
setInterval(() => {
	now.value = Date.now();
	if (stream && [...prompts.value.values()].some((p) => p.until + 2000 < now.value))
		promptsSoon();
	if (stream && activeJobs.value.length > 0 && ++ticks % 2 === 0)
		void refreshStatus().catch(() => undefined);
}, 1000);
