// SPDX-License-Identifier: Apache-2.0
// Asks devices for what their beacons do not say: name, appearance, address on the web.
import { useState } from 'preact/hooks';
import type { Job } from './api';
import { post } from './api';
import { devices, jobs, servers } from './store';
import { Act, Choice } from './ui';

const types = [
	{ value: 'local_name', label: 'Name' }, { value: 'appearance', label: 'Appearance' }, { value: 'uri', label: 'URI' },
	{ value: 'tx_power', label: 'Transmit power' }, { value: 'manufacturer_data', label: 'Data of the maker' },
];

type Who = 'picked' | 'all' | 'servers';

export function ExtendedScan({ picked, done }: { picked: string[]; done: () => void }) {
	const [wants, setWants] = useState<Who>('picked');
	const [want, setWant] = useState<ReadonlySet<string>>(new Set(['local_name', 'appearance', 'uri']));
	const heard = [...devices.value.values()].filter((d) => d.heard && d.state !== 'provisioned').length;
	const who = wants === 'picked' && picked.length === 0 ? 'all' : wants;
	const toggle = (type: string) => {
		const next = new Set(want);
		if (!next.delete(type))
			next.add(type);
		setWant(next);
	};
	const begin = async () => {
		const targets = who === 'picked' ? picked : who === 'all' ? 'all' : servers.value.filter((s) => s.state !== 'lost').map((s) => s.address);
		const job = await post<Job>('/jobs', { kind: 'scan', targets, options: { ad_types: types.map((t) => t.value).filter((t) => want.has(t)) } });
		jobs.value = new Map(jobs.value).set(job.id, job);
		done();
	};
	const count = who === 'picked' ? picked.length : who === 'all' ? heard : servers.value.length;
	return (
		<details class="card" open={picked.length > 0}>
			<summary>Ask for names and appearance (extended scan)</summary>
			<Choice legend="Ask" name="extended-who" value={who} set={setWants} of={[
				{ value: 'picked', label: `The ${picked.length} selected`, says: picked.length ? 'each through the server that hears it best' : 'Select devices in the list below.', off: picked.length === 0 },
				{ value: 'all', label: `All ${heard} devices that were heard`, says: '' },
				{ value: 'servers', label: servers.value.length === 1 ? 'The gateway itself' : `The ${servers.value.length} servers themselves`, says: 'and what they hear' },
			]} />
			<fieldset>
				<legend>For</legend>
				<div class="row">
					{types.map((t) => <label class="inline" key={t.value}><input type="checkbox" checked={want.has(t.value)} onChange={() => toggle(t.value)} /> {t.label}</label>)}
				</div>
			</fieldset>
			<Act run={begin} kind="main" disabled={want.size === 0 || count === 0}>Extended scan of {count}</Act>
		</details>
	);
}
