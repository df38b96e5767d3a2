// SPDX-License-Identifier: Apache-2.0
// Everything known of one node.
import type { Job } from '../api';
import { post } from '../api';
import { go } from '../router';
import { nodes, now } from '../store';
import { Act, Chip, Fact } from '../ui';
import { ago } from '../words';

export function NodePage({ address }: { address: string }) {
	const n = nodes.value.get(address);
	if (!n)
		return <p>There is no node {address}. <a href="#/nodes">All nodes</a></p>;
	const start = (kind: string) => async () => {
		const job = await post<Job>('/jobs', { kind, targets: [n.address] });
		if (kind !== 'identify')
			go(`/jobs/${job.id}`);
	};
	return (
		<>
			<p><a href="#/nodes">Nodes</a></p>
			<div class="row spread">
				<h1>{n.name ?? n.address} <Chip state={n.state} /></h1>
				<span class="row">
					<Act run={start('identify')}>Identify</Act>
					<Act run={start('configure')}>Configure</Act>
					<Act run={start('remove')} kind="danger" ask="Remove this node from the network?">Remove</Act>
				</span>
			</div>
			<dl class="facts card">
				<Fact name="Address"><code>{n.address}</code>, {n.element_count} element{n.element_count === 1 ? '' : 's'}</Fact>
				<Fact name="UUID"><code>{n.uuid}</code></Fact>
				<Fact name="Area">{n.area ?? '–'}</Fact>
				<Fact name="Distance">{n.hops === null ? 'unknown' : n.hops === 0 ? 'direct' : `${n.hops} hops`}</Fact>
				<Fact name="Last heard">{ago(n.last_heard_at, now.value)}</Fact>
				<Fact name="Remote Provisioning Server">{n.server ? 'yes' : 'no'}</Fact>
				<Fact name="Provisioned">{new Date(n.provisioned_at).toLocaleString()} {n.provisioned_by && `through ${n.provisioned_by}`}</Fact>
				<Fact name="Authentication">{n.authentication}, {n.algorithm}</Fact>
				<Fact name="Device key"><code>{n.device_key_id}</code></Fact>
				<Fact name="Relay">{n.features.relay}</Fact>
				<Fact name="Default TTL">{n.default_ttl ?? '–'}</Fact>
				{n.composition && <Fact name="Product">company {n.composition.company}, product {n.composition.product}, version {n.composition.version}</Fact>}
			</dl>
			{n.certificate && (
				<section class="card">
					<h2>Certificate</h2>
					<dl class="facts">
						<Fact name="Subject">{n.certificate.subject}</Fact>
						<Fact name="Issuer">{n.certificate.issuer}</Fact>
						<Fact name="Valid">{new Date(n.certificate.not_before).toLocaleDateString()} to {new Date(n.certificate.not_after).toLocaleDateString()}</Fact>
						<Fact name="SHA-256"><code class="break">{n.certificate.fingerprint}</code></Fact>
					</dl>
				</section>
			)}
			{n.elements.map((e) => (
				<section class="card" key={e.address}>
					<h2>Element {e.address}</h2>
					<ul class="models">{e.models.map((m) => <li key={m.id}><code>{m.id}</code> {m.name}</li>)}</ul>
				</section>
			))}
		</>
	);
}
