// SPDX-License-Identifier: Apache-2.0
// Everything known of one node.
import type { Job, MeshNode } from '../api';
import { post } from '../api';
import { CompositionOf } from '../composition';
import { IdentifyButton, IdentifyStatus } from '../identify';
import { Refresh } from '../refresh';
import { go } from '../router';
import { nodes, now } from '../store';
import { Act, Fact } from '../ui';
import { ago, date, dateTime, methodName, procedureName, stepName } from '../words';
import { NodeState } from './nodes';

// A refresh of which it is not known yet whether the node took it.
function Pending({ node: n }: { node: MeshNode }) {
	const p = n.pending!;
	return (
		<section class="card open">
			<h2>A refresh is open: {procedureName[p.procedure]}</h2>
			<p>
				Since {dateTime(p.since)}, {stepName(p.step)}. {p.new_address && `Its new address is ${p.new_address}. `}
				Until the node has answered, its old and its new key are both kept, and it is asked again from time to time.
			</p>
			<p><b>What to do:</b> look whether the node has power; then retry the job.</p>
		</section>
	);
}

function Changed({ node: n, start }: { node: MeshNode; start: (kind: string) => () => Promise<void> }) {
	return (
		<section class="card open">
			<div class="row spread">
				<h2>Its hardware or firmware has changed</h2>
				<Act run={start('refresh-composition')} kind="main">Take over the changes</Act>
			</div>
			<p>Known since {dateTime(n.composition_change!.since)}: Composition Data page 128 differs from page 0.</p>
		</section>
	);
}

function Facts({ node: n }: { node: MeshNode }) {
	return (
		<dl class="facts card">
			<Fact name="Address"><code>{n.address}</code>, {n.element_count} element{n.element_count === 1 ? '' : 's'}</Fact>
			<Fact name="UUID"><code>{n.uuid}</code></Fact>
			<Fact name="Area">{n.area ?? '–'}</Fact>
			<Fact name="Distance">{n.hops === null ? 'unknown' : n.hops === 0 ? 'direct' : n.hops === 1 ? '1 hop' : `${n.hops} hops`}</Fact>
			<Fact name="Last heard">{ago(n.last_heard_at, now.value)}</Fact>
			<Fact name="Remote Provisioning Server">{n.server ? 'yes' : 'no'}</Fact>
			<Fact name="Provisioned">{dateTime(n.provisioned_at)} {n.provisioned_by && `through ${n.provisioned_by}`}</Fact>
			<Fact name="Authentication">{methodName[n.authentication] ?? n.authentication}, {n.algorithm}</Fact>
			<Fact name="Device key"><code>{n.device_key_id}</code>, since {dateTime(n.device_key_at)}</Fact>
			<Fact name="Relay">{n.features.relay}</Fact>
			<Fact name="Default TTL">{n.default_ttl ?? '–'}</Fact>
			{n.composition && <Fact name="Product">company {n.composition.company}, product {n.composition.product}, version {n.composition.version}</Fact>}
			{n.composition && <Fact name="Composition pages">{n.composition.pages.join(', ') || 'none read'}</Fact>}
		</dl>
	);
}

export function NodePage({ address }: { address: string }) {
	const n = nodes.value.get(address);
	if (!n)
		return <p>There is no node {address}: it may have moved. <a href="#/nodes">All nodes</a></p>;
	const start = (kind: string) => async () => {
		const job = await post<Job>('/jobs', { kind, targets: [n.address] });
		go(`/jobs/${job.id}`);
	};
	const mark = JSON.stringify([n.composition, n.composition_change, n.pending, n.device_key_id]);
	return (
		<>
			<p><a href="#/nodes">Nodes</a></p>
			<div class="row spread">
				<h1>{n.name ?? n.address} <NodeState node={n} /></h1>
				<span class="row">
					<IdentifyButton target={n.address} name={n.name ?? n.address} />
					<Act run={start('configure')}>Configure</Act>
					<Act run={start('remove')} kind="danger" ask="Remove this node from the network?">Remove</Act>
				</span>
			</div>
			<IdentifyStatus />
			{n.pending && <Pending node={n} />}
			{n.composition_change && <Changed node={n} start={start} />}
			<Facts node={n} />
			<details class="card">
				<summary>Renew its key, address or composition</summary>
				<Refresh picked={[n.address]} one />
			</details>
			<CompositionOf node={n.address} mark={mark} />
			{n.certificate && (
				<section class="card">
					<h2>Certificate</h2>
					<dl class="facts">
						<Fact name="Subject">{n.certificate.subject}</Fact>
						<Fact name="Issuer">{n.certificate.issuer}</Fact>
						<Fact name="Valid">{date(n.certificate.not_before)} to {date(n.certificate.not_after)}</Fact>
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
