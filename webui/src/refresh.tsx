// SPDX-License-Identifier: Apache-2.0
// New keys, addresses and compositions, for one node, for the selected, for all.
import { useState } from 'preact/hooks';
import type { Job } from './api';
import { post } from './api';
import { MoveMany, MoveOne, nodesOf } from './move';
import { go } from './router';
import { nodes, status } from './store';
import { Act, Choice } from './ui';

type Kind = 'refresh-device-key' | 'refresh-address' | 'refresh-composition' | 'read-composition';

const kinds: { value: Kind; label: string; says: string; button: string }[] = [
	{ value: 'refresh-device-key', label: 'Device key', button: 'Renew device key',
		says: 'A fresh key that only the node and this gateway know; nothing else changes.' },
	{ value: 'refresh-address', label: 'Address', button: 'Move address',
		says: 'Moves to a free range, with a fresh key; takes over a changed composition, too.' },
	{ value: 'refresh-composition', label: 'Composition', button: 'Renew composition',
		says: 'Where hardware or firmware has changed, takes over what is new; others stay as they are.' },
	{ value: 'read-composition', label: 'Read composition', button: 'Read composition',
		says: 'Reads all pages again; changes nothing at the node.' },
];

export function Refresh({ picked, one }: { picked: string[]; one?: boolean }) {
	const [kind, setKind] = useState<Kind>('refresh-device-key');
	const [wants, setWants] = useState<'picked' | 'all'>('picked');
	const [links, setLinks] = useState('');
	const [move, setMove] = useState<{ to: string | null; good: boolean }>({ to: null, good: false });
	const own = status.value?.network.address;
	const everyone = [...nodes.value.keys()].filter((a) => a !== own);
	const who = one || (wants === 'picked' && picked.length > 0) ? 'picked' : 'all';
	const targets = who === 'all' ? everyone : picked;
	const chosen = kinds.find((k) => k.value === kind)!;
	const single = kind === 'refresh-address' && targets.length === 1;
	const deaf = nodesOf(targets).filter((n) => !n.server).length;
	const begin = async () => {
		const options: Record<string, unknown> = {};
		if (links && kind !== 'read-composition')
			options.max_links = Number(links);
		if (single && move.to)
			options.address = move.to;
		const job = await post<Job>('/jobs', { kind, targets: who === 'all' ? 'all' : targets, options });
		go(`/jobs/${job.id}`);
	};
	const count = one ? '' : targets.length === 1 ? ' of 1 node' : ` of ${targets.length} nodes`;
	return (
		<form onSubmit={(e) => e.preventDefault()}>
			{!one && (
				<Choice legend="For whom" name="who" value={who} set={setWants} of={[
					{ value: 'picked', label: `The ${picked.length} selected`, says: picked.length ? '' : 'Select nodes in the list below.', off: picked.length === 0 },
					{ value: 'all', label: `All ${everyone.length} nodes`, says: 'One after the other, many servers at once.' },
				]} />
			)}
			<Choice legend="What" name="what" value={kind} set={setKind} of={kinds} />
			{single && <MoveOne node={targets[0]} ready={(to, good) => setMove({ to, good })} />}
			{kind === 'refresh-address' && targets.length > 1 && <MoveMany list={nodesOf(targets)} />}
			{!one && kind !== 'read-composition' && (
				<label>Links at once<input type="number" min="1" max="64" placeholder="automatic" value={links} onInput={(e) => setLinks(e.currentTarget.value)} /></label>
			)}
			{kind !== 'read-composition' && deaf > 0 && (
				<p class="warn">{one ? 'This node hosts' : deaf === 1 ? '1 of them hosts' : `${deaf} of them host`} no Remote Provisioning Server, and cannot be renewed this way. For a new key, remove and provision again.</p>
			)}
			<Act run={begin} kind="main" disabled={targets.length === 0 || (single && !move.good)}>{chosen.button}{count}</Act>
		</form>
	);
}
