// SPDX-License-Identifier: Apache-2.0
// Sightings by server; expected against found; the device list.
import { useMemo, useState } from 'preact/hooks';
import type { Device, ImportResult, Job } from '../api';
import { post } from '../api';
import { ExtendedScan } from '../extended_scan';
import { IdentifyButton, IdentifyStatus } from '../identify';
import type { Keys } from '../select';
import { activeJobs, chosenDevices, devices, jobDeadlines, jobs, leftUntil, now, refresh } from '../store';
import { Table, Column } from '../table';
import { Act, Chip, Empty, JobButtons, Progress, SaveCsv } from '../ui';
import { ago, jobName, shortUuid } from '../words';

const bars = (rssi: number | null) => rssi === null ? 'unknown' : `${rssi} dBm`;
const nameOf = (d: Device) => d.name ?? d.local_name ?? shortUuid(d.uuid);
const looks = (d: Device) => d.appearance ? d.appearance.name ?? d.appearance.value : '';

const columns: Column<Device>[] = [
	{ name: 'Device', show: (d) => <><b class="name">{nameOf(d)}</b> <span class="dim wide">{d.area}</span></>, sort: nameOf },
	{ name: 'Blink', show: (d) => d.heard && d.state !== 'provisioned' ? <IdentifyButton target={d.uuid} name={nameOf(d)} /> : d.address ? <IdentifyButton target={d.address} name={nameOf(d)} /> : '–' },
	{ name: 'State', show: (d) => <Chip state={d.state} />, sort: (d) => d.state },
	{ name: 'Says its name is', show: (d) => <span title={d.uri ?? undefined}>{d.local_name ?? '–'}</span>, sort: (d) => d.local_name ?? '', wide: true },
	{ name: 'Appearance', show: (d) => looks(d) || '–', sort: looks, wide: true },
	{ name: 'RSSI', show: (d) => bars(d.rssi), sort: (d) => -(d.rssi ?? -999) },
	{ name: 'Best server', show: (d) => d.best_server ?? '–', sort: (d) => d.best_server ?? '', wide: true },
	{ name: 'Servers', show: (d) => d.sightings.length, sort: (d) => -d.sightings.length, wide: true },
	{ name: 'Heard', show: (d) => ago(d.last_heard_at, now.value), sort: (d) => -(d.last_heard_at ? Date.parse(d.last_heard_at) : 0), wide: true },
	{ name: 'Certificate', show: (d) => d.trust.state === 'rejected' ? <Chip state="rejected">{d.trust.code ?? 'refused'}</Chip> : d.certificate_support ? 'yes' : 'no', wide: true },
];

const filters: { name: string; keep: (d: Device) => boolean }[] = [
	{ name: 'All', keep: () => true },
	{ name: 'Found', keep: (d) => d.heard || d.state === 'provisioned' },
	{ name: 'Missing', keep: (d) => d.expected && d.state === 'missing' },
	{ name: 'Unexpected', keep: (d) => d.heard && !d.expected },
	{ name: 'Refused', keep: (d) => d.state === 'rejected' },
];

function Import() {
	const [text, setText] = useState<string | null>(null);
	const [result, setResult] = useState<ImportResult | null>(null);
	const read = async (file: File | undefined) => {
		if (!file)
			return;
		const content = await file.text();
		setText(content);
		setResult(await post<ImportResult>('/devices/import?dry_run=true', content, 'text/csv'));
	};
	const take = async () => {
		setResult(await post<ImportResult>('/devices/import', text!, 'text/csv'));
		setText(null);
		await refresh();
	};
	return (
		<details class="card">
			<summary>Import the list of expected devices</summary>
			<p class="small">CSV with the columns uuid, name, area, profile, static_oob, certificate. It is looked at first; nothing is taken before you say so.</p>
			<label>File<input type="file" accept=".csv,text/csv" onChange={(e) => void read(e.currentTarget.files?.[0])} /></label>
			{result && (
				<div role="status">
					<p>{result.dry_run ? 'Would take' : 'Took'} {result.counts.added} new, {result.counts.changed} changed; {result.counts.unchanged} unchanged, {result.counts.refused} refused.</p>
					<ul>{result.rows.filter((r) => r.outcome === 'refused').slice(0, 20).map((r) => <li key={r.line}>line {r.line}: {r.message}</li>)}</ul>
				</div>
			)}
			{text && <Act run={take} kind="main">Import {result?.counts.total ?? ''} devices</Act>}
		</details>
	);
}

// Scans at work, with their time.
function Running() {
	const list = activeJobs.value.filter((j) => j.kind === 'scan');
	return (
		<>
			{list.map((job) => (
				<article class="card" key={job.id}>
					<div class="row spread">
						<h2><a href={`#/jobs/${job.id}`}>{jobName.scan} · job {job.id}</a> <Chip state={job.state} /></h2>
						<span class="row">{jobDeadlines.value.has(job.id) && <span class="chip running">{leftUntil(jobDeadlines.value.get(job.id))} s left</span>}<JobButtons job={job} /></span>
					</div>
					<Progress job={job} />
				</article>
			))}
		</>
	);
}

const csvHead = ['uuid', 'name', 'area', 'state', 'rssi', 'best_server', 'servers', 'last_heard_at', 'certificate', 'local_name', 'appearance', 'appearance_name', 'uri', 'tx_power', 'advertising', 'scanned_at'];
const csvRow = (d: Device) => [d.uuid, d.name, d.area, d.state, d.rssi, d.best_server, d.sightings.length, d.last_heard_at, d.trust.code ?? (d.certificate_support ? 'yes' : 'no'),
	d.local_name, d.appearance?.value ?? null, d.appearance?.name ?? null, d.uri, d.tx_power, (d.advertising ?? []).map((a) => `${a.ad_type} ${a.hex}`).join(' '), d.scanned_at];

export function Scan() {
	const [filter, setFilter] = useState(0);
	const chosen = chosenDevices.value;
	const setPicked = (keys: Keys) => (chosenDevices.value = keys);
	const [words, setWords] = useState('');
	const rows = useMemo(() => {
		const w = words.toLowerCase();
		return [...devices.value.values()].filter((d) => filters[filter].keep(d) &&
			(!w || `${d.uuid} ${d.name ?? ''} ${d.area ?? ''} ${d.local_name ?? ''} ${looks(d)}`.toLowerCase().includes(w)));
	}, [devices.value, filter, words]);
	const everyone = [...devices.value.values()];
	const picked = [...chosen].map(String).filter((u) => devices.value.get(u)?.heard);
	const survey = async () => {
		const job = await post<Job>('/jobs', { kind: 'scan', targets: 'all' });
		jobs.value = new Map(jobs.value).set(job.id, job);
	};
	return (
		<>
			<div class="row spread">
				<h1>Scan</h1>
				<span class="row">
					<SaveCsv name="devices.csv" what="the devices" rows={() => [csvHead, ...rows.map(csvRow)]} />
					<Act kind="main" run={survey}>Scan through all servers</Act>
				</span>
			</div>
			<Running />
			<Import />
			<ExtendedScan picked={picked} done={() => setPicked(new Set())} />
			<div class="row filters" role="group" aria-label="Filter">
				{filters.map((f, i) => <button key={f.name} aria-pressed={filter === i} onClick={() => setFilter(i)}>{f.name} {everyone.filter(f.keep).length}</button>)}
				<input type="search" aria-label="Search devices" placeholder="Search" value={words} onInput={(e) => setWords(e.currentTarget.value)} />
			</div>
			<div class="row picked">
				<span role="status">{chosen.size > 0 && `${chosen.size} selected${picked.length < chosen.size ? `, ${picked.length} of them heard` : ''}`}</span>
				{chosen.size > 0 && <span class="row"><a class="button" href="#/provision">Provision {chosen.size}</a><button onClick={() => setPicked(new Set())}>Select none</button></span>}
			</div>
			<IdentifyStatus />
			{rows.length === 0
				? <Empty title="Nothing here">Devices appear as soon as the gateway or a server hears their beacons.</Empty>
				: <Table label="Devices" rows={rows} columns={columns} id={(d) => d.uuid} title={nameOf} picked={chosen} pick={setPicked} />}
		</>
	);
}
