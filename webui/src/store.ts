// SPDX-License-Identifier: Apache-2.0
// What the dashboard knows: lists read once, then kept true by the event stream.
import { computed, signal } from '@preact/signals';
import { all, ApiError, Device, get, Job, MeshNode, Server, Session, Status, Task, TrustAnchor } from './api';

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

function putTask(task: Task): void {
	draft.t.set(task.job, new Map(draft.t.get(task.job) ?? []).set(task.id, task));
}

export async function loadTasks(job: number): Promise<void> {
	const list = await all<Task>(`/jobs/${job}/tasks`);
	tasks.value = new Map(tasks.value).set(job, by(list, (t) => t.id));
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
	await Promise.all(newestFirst.value.slice(0, 1).concat(activeJobs.value).map((job) => loadTasks(job.id)));
}

export async function refreshStatus(): Promise<void> {
	status.value = await get<Status>('/status');
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
	on('job.changed', (x: Job) => draft.j.set(x.id, x));
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

setInterval(() => {
	now.value = Date.now();
	if (stream && activeJobs.value.length > 0)
		void refreshStatus().catch(() => undefined);
}, 2000);
