// SPDX-License-Identifier: Apache-2.0
import { useMemo, useState } from 'preact/hooks';
import type { AddressRange, Job, MeshNode } from '../api';
import { all, post } from '../api';
import { IdentifyButton, IdentifyStatus } from '../identify';
import { Refresh } from '../refresh';
import { go } from '../router';
import type { Keys } from '../select';
import { devices, nodes, now, status, tell } from '../store';
import { Column, Table } from '../table';
import { Act, Chip, Empty, SaveCsv } from '../ui';
import { ago, procedureName, shortUuid } from '../words';

const nameOf = (n: MeshNode) => n.name ?? shortUuid(n.uuid);

// Its state, and what is open: a refresh without an answer yet, a composition that has changed.
export function NodeState({ node }: { node: MeshNode }) {
	return (
		<>
			<Chip state={node.state} />
			{node.pending && <> <Chip state="paused">{procedureName[node.pending.procedure]} open</Chip></>}
			{node.composition_change && <> <Chip state="partial">changed</Chip></>}
		</>
	);
}

const columns: Column<MeshNode>[] = [
	{ name: 'Node', show: (n) => <a class="name" href={`#/nodes/${n.address}`} onClick={(e) => e.stopPropagation()}>{nameOf(n)}</a>, sort: (n) => n.name ?? n.uuid },
	{ name: 'Address', show: (n) => <code>{n.address}</code>, sort: (n) => n.address },
	{ name: 'Blink', show: (n) => <IdentifyButton target={n.address} name={nameOf(n)} /> },
	{ name: 'Area', show: (n) => n.area ?? '–', sort: (n) => n.area ?? '', wide: true },
	{ name: 'State', show: (n) => <NodeState node={n} />, sort: (n) => `${n.pending ? 0 : 1}${n.composition_change ? 0 : 1}${n.state}` },
	{ name: 'Server', show: (n) => (n.server ? 'yes' : 'no'), sort: (n) => (n.server ? 0 : 1), wide: true },
	{ name: 'Hops', show: (n) => n.hops ?? '–', sort: (n) => n.hops ?? 99, wide: true },
	{ name: 'Heard', show: (n) => ago(n.last_heard_at, now.value), sort: (n) => -(n.last_heard_at ? Date.parse(n.last_heard_at) : 0), wide: true },
	{ name: 'Key', show: (n) => <code>{n.device_key_id}</code>, wide: true },
];

const filters: { name: string; keep: (n: MeshNode) => boolean }[] = [
	{ name: 'All', keep: () => true },
	{ name: 'Changed', keep: (n) => !!n.composition_change },
	{ name: 'Open refresh', keep: (n) => !!n.pending },
	{ name: 'Servers', keep: (n) => n.server },
];

const csvHead = ['address', 'uuid', 'name', 'area', 'state', 'server', 'hops', 'elements', 'company', 'product', 'version', 'pages', 'device_key_id', 'device_key_at',
	'pending', 'pending_step', 'pending_new_address', 'pending_since', 'composition_changed_since', 'authentication', 'provisioned_at', 'last_heard_at'];
const csvRow = (n: MeshNode) => [n.address, n.uuid, n.name, n.area, n.state, n.server ? 'yes' : 'no', n.hops, n.element_count,
	n.composition?.company ?? null, n.composition?.product ?? null, n.composition?.version ?? null, n.composition?.pages.join(' ') ?? null, n.device_key_id, n.device_key_at,
	n.pending?.procedure ?? null, n.pending?.step ?? null, n.pending?.new_address ?? null, n.pending?.since ?? null, n.composition_change?.since ?? null,
	n.authentication, n.provisioned_at, n.last_heard_at];

const rangeStates: Record<string, string> = {
	reserved: 'kept for a task', used: 'a node', excluded: 'in quarantine', burnt: 'never again: a device may still have it',
};

const ranges: Column<AddressRange>[] = [
	{ name: 'Range', show: (r) => <code>{r.first === r.last ? r.first : `${r.first} to ${r.last}`}</code>, sort: (r) => r.first },
	{ name: 'Why', show: (r) => rangeStates[r.state] ?? r.state, sort: (r) => r.state },
	{ name: 'Free at', show: (r) => (r.free_at_iv_index === null ? '–' : `IV index ${r.free_at_iv_index}`), sort: (r) => r.free_at_iv_index ?? 0 },
	{ name: 'Device', show: (r) => (r.uuid ? devices.value.get(r.uuid)?.name ?? shortUuid(r.uuid) : '–'), wide: true },
];

// Which addresses cannot be given, and what frees them.
function Addresses() {
	const [list, setList] = useState<AddressRange[] | null>(null);
	const load = (open: boolean) => open && void all<AddressRange>('/addresses').then(setList).catch(tell);
	return (
		<details class="card" onToggle={(e) => load(e.currentTarget.open)}>
			<summary>Addresses that are not free</summary>
			<div class="row spread">
				<p class="small">{status.value?.network.addresses_free} addresses are free. Those in quarantine are given again when the IV index, now {status.value?.network.iv_index}, has got so far.</p>
				{list && <SaveCsv name="addresses.csv" what="the addresses" rows={() => [['first', 'last', 'state', 'uuid', 'iv_index', 'free_at_iv_index'],
					...list.map((r) => [r.first, r.last, r.state, r.uuid, r.iv_index, r.free_at_iv_index])]} />}
			</div>
			{list && list.length > 0 && <Table label="Addresses that are not free" rows={list} columns={ranges} id={(r) => r.first} />}
			{list?.length === 0 && <p>All addresses are free.</p>}
		</details>
	);
}

function Bulk({ picked, clear }: { picked: string[]; clear: () => void }) {
	const n = picked.length;
	const start = (kind: string) => async () => {
		const job = await post<Job>('/jobs', { kind, targets: picked });
		clear();
		go(`/jobs/${job.id}`);
	};
	return (
		<span class="row">
			<Act run={start('configure')}>Configure {n}</Act>
			<Act run={start('remove')} kind="danger" ask={`Remove ${n} nodes from the network? Each is reset and must be provisioned again.`}>Remove {n}</Act>
			<button onClick={clear}>Select none</button>
		</span>
	);
}

export function Nodes() {
	const [words, setWords] = useState('');
	const [filter, setFilter] = useState(0);
	const [chosen, setPicked] = useState<Keys>(new Set());
	const everyone = [...nodes.value.values()];
	const rows = useMemo(() => {
		const w = words.toLowerCase();
		return [...nodes.value.values()].filter((n) => filters[filter].keep(n) && (!w || `${n.address} ${n.uuid} ${n.name ?? ''} ${n.area ?? ''}`.toLowerCase().includes(w)));
	}, [nodes.value, words, filter]);
	const picked = [...chosen].map(String).filter((a) => nodes.value.has(a)); // some may have moved or gone
	return (
		<>
			<div class="row spread">
				<h1>Nodes <span class="dim">{nodes.value.size}</span></h1>
				<SaveCsv name="nodes.csv" what="the nodes" rows={() => [csvHead, ...rows.map(csvRow)]} />
			</div>
			{everyone.length > 0 && (
				<details class="card">
					<summary>Renew keys, addresses or compositions</summary>
					<Refresh picked={picked} />
				</details>
			)}
			<Addresses />
			<div class="row filters" role="group" aria-label="Filter">
				{filters.map((f, i) => <button key={f.name} aria-pressed={filter === i} onClick={() => setFilter(i)}>{f.name} {everyone.filter(f.keep).length}</button>)}
				<input type="search" aria-label="Search nodes" placeholder="Address, name, area, UUID" value={words} onInput={(e) => setWords(e.currentTarget.value)} />
			</div>
			<div class="row picked">
				<span role="status">{picked.length > 0 && `${picked.length} selected`}</span>
				{picked.length > 0 && <Bulk picked={picked} clear={() => setPicked(new Set())} />}
			</div>
			<IdentifyStatus />
			{everyone.length === 0 && <Empty title="No nodes"><a class="button main" href="#/provision">Provision the building</a></Empty>}
			{everyone.length > 0 && rows.length === 0 && <Empty title="None of them">No node matches the filter and the search.</Empty>}
			{rows.length > 0 && <Table label="Nodes" rows={rows} columns={columns} id={(n) => n.address} title={nameOf} open={(n) => go(`/nodes/${n.address}`)} picked={chosen} pick={setPicked} />}
		</>
	);
}
