// SPDX-License-Identifier: Apache-2.0
// "What would this device get?": the verdict before any link is opened.
import { useState } from 'preact/hooks';
import type { Verdict } from './api';
import { ApiError, post } from './api';
import { anchors, devices } from './store';
import { Act, Chip, Choice, Fact } from './ui';
import { date } from './words';

const sources: Record<string, string> = {
	request: 'the certificate given here', imported: 'the certificate of the imported list',
	cached: 'a certificate that was fetched before', device: 'the certificate that the device has shown',
};
const chips = { trusted: 'succeeded', refused: 'failed', unknown: 'paused' };

const uuidLike = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

function uuidOf(text: string): string | null {
	const found = [...devices.value.values()].find((d) => d.name === text.trim());
	if (found)
		return found.uuid;
	if (!uuidLike.test(text.trim()))
		return null;
	return text.trim().toLowerCase().replace(/-/g, '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function Result({ verdict: v }: { verdict: Verdict }) {
	const anchor = anchors.value.find((a) => a.id === v.anchor);
	return (
		<div class="verdict">
			<h3><Chip state={chips[v.verdict]}>{v.verdict === 'unknown' ? 'not known yet' : v.verdict}</Chip> {v.code && <code>{v.code}</code>}</h3>
			<p>{v.message}</p>
			{v.advice && <p><b>What to do:</b> {v.advice}</p>}
			{v.certificate && (
				<dl class="facts">
					<Fact name="Subject">{v.certificate.subject}</Fact>
					<Fact name="Issuer">{v.certificate.issuer}</Fact>
					<Fact name="Valid">{date(v.certificate.not_before)} to {date(v.certificate.not_after)}</Fact>
					{anchor && <Fact name="Anchor">{anchor.subject}</Fact>}
					{v.source && <Fact name="Looked at">{sources[v.source]}</Fact>}
				</dl>
			)}
		</div>
	);
}

// The first certificate is the device's; those after it are its chain.
function split(text: string): string[] {
	return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

export function TrustCheck() {
	const [by, setBy] = useState<'device' | 'certificate'>('device');
	const [who, setWho] = useState('');
	const [pem, setPem] = useState('');
	const [verdict, setVerdict] = useState<Verdict | null>(null);
	const [wrong, setWrong] = useState<string | null>(null);
	const uuid = uuidOf(who);
	const list = split(pem);
	const ready = by === 'device' ? !!uuid : list.length > 0 && (!who.trim() || !!uuid);
	const ask = async () => {
		setWrong(null);
		setVerdict(null);
		try {
			const body = by === 'device' ? { uuid } : { pem: list[0], ...(list.length > 1 && { chain: list.slice(1) }), ...(uuid && { uuid }) };
			setVerdict(await post<Verdict>('/trust-anchors/check', body));
		} catch (error) {
			if (!(error instanceof ApiError))
				throw error;
			setWrong(error.message);
		}
	};
	return (
		<form class="card" onSubmit={(e) => e.preventDefault()}>
			<h2>What would this device get?</h2>
			<p class="small">Checks as a provisioning job would, without touching the device.</p>
			<Choice legend="Look at" name="check-by" value={by} set={setBy} of={[
				{ value: 'device', label: 'A device', says: 'its imported certificate, or one that was fetched or shown before' },
				{ value: 'certificate', label: 'A certificate', says: 'pasted, or from a file; with its chain if it has one' },
			]} />
			<label>{by === 'device' ? 'UUID or name' : 'UUID or name of its device (may be empty)'}
				<input list="known-devices" value={who} spellcheck={false} autocomplete="off" onInput={(e) => setWho(e.currentTarget.value)} />
			</label>
			<datalist id="known-devices">{[...devices.value.values()].slice(0, 500).map((d) => <option key={d.uuid} value={d.uuid}>{d.name}</option>)}</datalist>
			{by === 'certificate' && (
				<>
					<label>File of the certificate<input type="file" accept=".pem,.crt,.cer" onChange={async (e) => setPem(await (e.currentTarget.files?.[0]?.text() ?? Promise.resolve('')))} /></label>
					<label>or the text of the certificate<textarea rows={5} value={pem} onInput={(e) => setPem(e.currentTarget.value)} placeholder="-----BEGIN CERTIFICATE-----" /></label>
				</>
			)}
			<Act run={ask} kind="main" disabled={!ready}>Check</Act>
			<div role="status">
				{who.trim() && !uuid && <p class="small">There is no device of this name; a UUID has 32 hexadecimal digits.</p>}
				{wrong && <p class="warn">{wrong}</p>}
				{verdict && <Result verdict={verdict} />}
			</div>
		</form>
	);
}
