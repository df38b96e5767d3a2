// SPDX-License-Identifier: Apache-2.0
import { useMemo, useState } from 'preact/hooks';
import type { Job, MeshNode } from '../api';
import { post } from '../api';
import { go } from '../router';
import { nodes, now } from '../store';
import { Column, Table } from '../table';
import { Act, Chip, Empty } from '../ui';
import { ago, csv, download, shortUuid } from '../words';

const columns: Column<MeshNode>[] = [
	{ name: 'Address', show: (n) => <code>{n.address}</code>, sort: (n) => n.address },
	{ name: 'Node', show: (n) => <b>{n.name ?? shortUuid(n.uuid)}</b>, sort: (n) => n.name ?? n.uuid },
	{ name: 'Area', show: (n) => n.area ?? '–', sort: (n) => n.area ?? '', wide: true },
	{ name: 'State', show: (n) => <Chip state={n.state} />, sort: (n) => n.state },
	{ name: 'Server', show: (n) => (n.server ? 'yes' : 'no'), sort: (n) => (n.server ? 0 : 1), wide: true },
	{ name: 'Hops', show: (n) => n.hops ?? '–', sort: (n) => n.hops ?? 99 },
	{ name: 'Heard', show: (n) => ago(n.last_heard_at, now.value), sort: (n) => -(n.last_heard_at ? Date.parse(n.last_heard_at) : 0), wide: true },
	{ name: 'Key', show: (n) => <code>{n.device_key_id}</code>, wide: true },
];

export function Nodes() {
	const [words, setWords] = useState('');
	const [picked, setPicked] = useState<ReadonlySet<string | number>>(new Set());
	const rows = useMemo(() => {
		const w = words.toLowerCase();
		return [...nodes.value.values()].filter((n) => !w || `${n.address} ${n.uuid} ${n.name ?? ''} ${n.area ?? ''}`.toLowerCase().includes(w));
	}, [nodes.value, words]);
	const start = (kind: string) => async () => {
		const job = await post<Job>('/jobs', { kind, targets: [...picked] });
		setPicked(new Set());
		go(`/jobs/${job.id}`);
	};
	const save = () => download('nodes.csv', csv([['address', 'uuid', 'name', 'area', 'state', 'server', 'hops', 'device_key_id'],
		...rows.map((n) => [n.address, n.uuid, n.name, n.area, n.state, n.server ? 'yes' : 'no', n.hops, n.device_key_id])]));
	return (
		<>
			<div class="row spread">
				<h1>Nodes <span class="dim">{nodes.value.size}</span></h1>
				<button onClick={save}>CSV</button>
			</div>
			<div class="row filters">
				<input type="search" aria-label="Search nodes" placeholder="Address, name, area, UUID" value={words} onInput={(e) => setWords(e.currentTarget.value)} />
				{picked.size > 0 && (
					<span class="row">
						<Act run={start('identify')}>Identify {picked.size}</Act>
						<Act run={start('configure')}>Configure {picked.size}</Act>
						<Act run={start('remove')} kind="danger" ask={`Remove ${picked.size} nodes from the network? Each is reset and must be provisioned again.`}>Remove {picked.size}</Act>
					</span>
				)}
			</div>
			{rows.length === 0
				? <Empty title="No nodes"><a class="button main" href="#/provision">Provision the building</a></Empty>
				: <Table label="Nodes" rows={rows} columns={columns} id={(n) => n.address} open={(n) => go(`/nodes/${n.address}`)} picked={picked} pick={setPicked} />}
		</>
	);
}
