// SPDX-License-Identifier: Apache-2.0
// Recordings of what the radio sends and hears: begun, stopped, downloaded.
import { useState } from 'preact/hooks';
import type { Capture } from './api';
import { all, base, del, post } from './api';
import { tell } from './store';
import { Act, Chip, SaveCsv } from './ui';
import { dateTime, span } from './words';

const size = (octets: number) => (octets < 1024 * 1024 ? `${Math.ceil(octets / 1024)} KiB` : `${(octets / 1024 / 1024).toFixed(1)} MiB`);

export function Captures() {
	const [list, setList] = useState<Capture[] | null>(null);
	const [minutes, setMinutes] = useState('10');
	const load = async () => setList((await all<Capture>('/captures')).reverse());
	const running = list?.some((c) => c.state === 'running');
	const seconds = Math.round(Number(minutes) * 60);
	const rows = () => [['id', 'state', 'started_at', 'ended_at', 'ended_by', 'octets', 'frames'],
		...list!.map((c) => [c.id, c.state, c.started_at, c.ended_at, c.ended_by, c.octets, c.frames])];
	const start = async () => {
		await post('/captures', { seconds });
		await load();
	};
	return (
		<details class="card" onToggle={(e) => e.currentTarget.open && void load().catch(tell)}>
			<summary>Recordings of the air</summary>
			<p class="small">What this gateway sends and hears, for btmon or Wireshark. No key is in it.</p>
			<form class="row" onSubmit={(e) => e.preventDefault()}>
				<label>Minutes<input type="number" min="1" max="1440" value={minutes} onInput={(e) => setMinutes(e.currentTarget.value)} /></label>
				<Act run={start} disabled={!list || running || !(seconds >= 1 && seconds <= 86400)}>Start recording</Act>
				<Act run={load}>Look again</Act>
				{list && list.length > 0 && <SaveCsv name="recordings.csv" what="the recordings" rows={rows} />}
			</form>
			<ul class="feed" aria-label="Recordings">
				{list?.map((c) => (
					<li key={c.id}>
						<b>{dateTime(c.started_at)}</b> <Chip state={c.state === 'running' ? 'running' : 'ended'}>{c.state}</Chip>
						<span>{size(c.octets)}{c.frames !== null && `, ${c.frames} frames`}{c.state === 'running' && c.seconds !== null && `, at most ${span(c.seconds)}`}</span>
						<a class="button mini" href={`${base}/captures/${c.id}`} download={`meshmason-${c.id}.btsnoop`} aria-label={`Download recording ${c.id}`}>Download</a>
						{c.state === 'running' && <Act kind="mini" run={async () => { await post(`/captures/${c.id}/stop`); await load(); }}>Stop</Act>}
						{c.state === 'ended' && <Act kind="mini danger" ask="Delete this recording?" run={async () => { await del(`/captures/${c.id}`); await load(); }}>Delete</Act>}
					</li>
				))}
			</ul>
		</details>
	);
}
