// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'preact/hooks';
import { all, ApiError, call, del, post, TrustAnchor } from '../api';
import { anchors, tell } from '../store';
import { TrustCheck } from '../trust_check';
import { Act, Chip, Empty, Fact, SaveCsv } from '../ui';
import { date, dateTime } from '../words';

const reload = async () => (anchors.value = await all<TrustAnchor>('/trust-anchors'));

function Add() {
	const [pem, setPem] = useState('');
	const [said, setSaid] = useState('');
	const add = async () => {
		const result = await post<{ added: number; already_there: number }>('/trust-anchors', { pem });
		setSaid(`${result.added} added, ${result.already_there} already there.`);
		setPem('');
		await reload();
	};
	return (
		<form class="card" onSubmit={(e) => e.preventDefault()}>
			<h2>Add an anchor</h2>
			<label>PEM file<input type="file" accept=".pem,.crt,.cer" onChange={async (e) => setPem(await (e.currentTarget.files?.[0]?.text() ?? Promise.resolve('')))} /></label>
			<label>or its text<textarea rows={5} value={pem} onInput={(e) => setPem(e.currentTarget.value)} placeholder="-----BEGIN CERTIFICATE-----" /></label>
			<Act run={add} kind="main" disabled={!pem.includes('BEGIN CERTIFICATE')}>Add</Act>
			<p role="status" class="small">{said}</p>
		</form>
	);
}

// The list of revoked certificates that belongs to an anchor.
function Crl({ anchor: a }: { anchor: TrustAnchor }) {
	const [said, setSaid] = useState<string | null>(null);
	const [wrong, setWrong] = useState<string | null>(null);
	const bring = async (input: HTMLInputElement) => {
		const file = input.files?.[0];
		if (!file)
			return;
		setSaid(null);
		setWrong(null);
		try {
			const read = await call<TrustAnchor>('POST', `/trust-anchors/${a.id}/crl`, await file.arrayBuffer(), 'application/pkix-cert');
			setSaid(`Taken: ${read.crl?.revoked ?? 0} revoked.`);
			await reload();
		} catch (error) {
			setWrong(error instanceof ApiError ? error.message : `${error}`);
		}
		input.value = '';
	};
	const remove = async () => {
		await del(`/trust-anchors/${a.id}/crl`);
		setSaid('Removed.');
		await reload();
	};
	return (
		<section class="crl" aria-label={`Revoked certificates of ${a.subject}`}>
			<h3>Revoked certificates (CRL) {a.crl && <Chip state={a.crl.stale ? 'partial' : 'succeeded'}>{a.crl.stale ? 'out of date' : 'up to date'}</Chip>}</h3>
			{a.crl ? (
				<>
					<dl class="facts">
						<Fact name="Revoked">{a.crl.revoked}</Fact>
						<Fact name="Issued">{dateTime(a.crl.issued_at)}</Fact>
						<Fact name="Next one by">{a.crl.next_update ? dateTime(a.crl.next_update) : 'not said'}</Fact>
					</dl>
					{a.crl.stale && <p class="warn">A newer list should be out by now: get it from the maker, and bring it here.</p>}
				</>
			) : <p class="small">None: a certificate that the maker has revoked would still be taken.</p>}
			<div class="row">
				<label>{a.crl ? 'Newer CRL file' : 'CRL file'}<input type="file" accept=".crl,.pem,.der" onChange={(e) => void bring(e.currentTarget)} /></label>
				{a.crl && <Act run={remove} kind="danger" ask="Remove this list? Certificates on it are then taken again.">Remove the CRL</Act>}
			</div>
			<p role="status" class={wrong ? 'warn' : 'small'}>{wrong ?? said}</p>
		</section>
	);
}

function Anchor({ anchor: a }: { anchor: TrustAnchor }) {
	return (
		<article class="card">
			<div class="row spread">
				<h2>{a.subject} <Chip state={a.valid ? 'succeeded' : 'failed'}>{a.valid ? 'valid' : 'not valid today'}</Chip></h2>
				<Act run={async () => { await del(`/trust-anchors/${a.id}`); await reload(); }} kind="danger" ask="Remove this anchor? Devices under it can no longer be provisioned.">Remove</Act>
			</div>
			<dl class="facts">
				<Fact name="Issuer">{a.issuer}</Fact>
				<Fact name="Valid">{date(a.not_before)} to {date(a.not_after)}</Fact>
				<Fact name="SHA-256"><code class="break">{a.fingerprint}</code></Fact>
			</dl>
			<Crl anchor={a} />
		</article>
	);
}

export function Trust() {
	useEffect(() => void reload().catch(tell), []); // no event tells of them
	const rows = () => [['subject', 'issuer', 'serial', 'not_before', 'not_after', 'fingerprint', 'added_at', 'valid', 'crl_issued_at', 'crl_next_update', 'crl_revoked', 'crl_stale'],
		...anchors.value.map((a) => [a.subject, a.issuer, a.serial, a.not_before, a.not_after, a.fingerprint, a.added_at, a.valid ? 'yes' : 'no',
			a.crl?.issued_at ?? null, a.crl?.next_update ?? null, a.crl?.revoked ?? null, a.crl ? (a.crl.stale ? 'yes' : 'no') : null])];
	return (
		<>
			<div class="row spread">
				<h1>Trust</h1>
				<SaveCsv name="trust-anchors.csv" what="the trust anchors" rows={rows} />
			</div>
			<p>A device is let in when its certificate chains to one of these anchors, is valid today, and names the device’s own UUID. A certificate that was refused cannot be overridden.</p>
			{anchors.value.length === 0 && <Empty title="No anchors">Without one, every certificate is refused. Add the root certificate of the devices’ maker.</Empty>}
			{anchors.value.map((a) => <Anchor key={a.id} anchor={a} />)}
			<Add />
			<TrustCheck />
		</>
	);
}
