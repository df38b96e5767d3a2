// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';
import { all, del, post, TrustAnchor } from '../api';
import { anchors } from '../store';
import { Act, Chip, Empty, Fact } from '../ui';

const reload = async () => (anchors.value = await all<TrustAnchor>('/trust-anchors'));

export function Trust() {
	const [pem, setPem] = useState('');
	const [said, setSaid] = useState('');
	const add = async () => {
		const result = await post<{ added: number; already_there: number }>('/trust-anchors', { pem });
		setSaid(`${result.added} added, ${result.already_there} already there.`);
		setPem('');
		await reload();
	};
	return (
		<>
			<h1>Trust</h1>
			<p>A device is let in when its certificate chains to one of these anchors, is valid today, and names the device’s own UUID. A certificate that was refused cannot be overridden.</p>
			<form class="card" onSubmit={(e) => e.preventDefault()}>
				<h2>Add an anchor</h2>
				<label>PEM file<input type="file" accept=".pem,.crt,.cer" onChange={async (e) => setPem(await (e.currentTarget.files?.[0]?.text() ?? Promise.resolve('')))} /></label>
				<label>or its text<textarea rows={5} value={pem} onInput={(e) => setPem(e.currentTarget.value)} placeholder="-----BEGIN CERTIFICATE-----" /></label>
				<Act run={add} kind="main" disabled={!pem.includes('BEGIN CERTIFICATE')}>Add</Act>
				<p role="status" class="small">{said}</p>
			</form>
			{anchors.value.length === 0 && <Empty title="No anchors">Without one, every certificate is refused.</Empty>}
			{anchors.value.map((a) => (
				<article class="card" key={a.id}>
					<div class="row spread">
						<h2>{a.subject} <Chip state={a.valid ? 'succeeded' : 'failed'}>{a.valid ? 'valid' : 'not valid today'}</Chip></h2>
						<Act run={async () => { await del(`/trust-anchors/${a.id}`); await reload(); }} kind="danger" ask="Remove this anchor? Devices under it can no longer be provisioned.">Remove</Act>
					</div>
					<dl class="facts">
						<Fact name="Issuer">{a.issuer}</Fact>
						<Fact name="Valid">{new Date(a.not_before).toLocaleDateString()} to {new Date(a.not_after).toLocaleDateString()}</Fact>
						<Fact name="SHA-256"><code class="break">{a.fingerprint}</code></Fact>
					</dl>
				</article>
			))}
		</>
	);
}
