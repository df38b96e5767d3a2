// SPDX-License-Identifier: Apache-2.0
// What is here, what needs me, what runs.
import { Captures } from '../captures';
import { activeJobs, anchors, devices, jobs, newestFirst, nodes, prompts, servers, status } from '../store';
import { Chip, Empty, Fact, JobButtons, Progress } from '../ui';
import { jobName } from '../words';

function Tile({ n, name, href, tone }: { n: number; name: string; href: string; tone?: string }) {
	return <a class={`tile ${tone ?? ''}`} href={href}><strong>{n}</strong><span>{name}</span></a>;
}

function NeedsMe() {
	const s = status.value!;
	const last = newestFirst.value.find((j) => j.kind === 'provision' && j.counts.failed > 0);
	const list = [];
	if (!s.radio.up)
		list.push(<li key="radio">The radio {s.radio.name} is not working.</li>);
	const open = prompts.value.size;
	if (open > 0)
		list.push(<li key="prompts">{open === 1 ? 'A device waits' : `${open} devices wait`} for somebody to read or enter a value. <a href="#/prompts">Answer</a></li>);
	const changed = [...nodes.value.values()].filter((n) => n.composition_change).length;
	if (changed > 0)
		list.push(<li key="changed">The hardware or firmware of {changed === 1 ? '1 node has' : `${changed} nodes have`} changed. <a href="#/nodes">See the nodes</a></li>);
	const half = [...nodes.value.values()].filter((n) => n.pending).length;
	if (half > 0 && activeJobs.value.length === 0)
		list.push(<li key="pending">{half === 1 ? 'A refresh is' : `${half} refreshes are`} open: the node has not answered since. <a href="#/nodes">See the nodes</a></li>);
	for (const a of anchors.value.filter((x) => x.crl?.stale))
		list.push(<li key={`crl${a.id}`}>The list of revoked certificates of {a.subject} is out of date. <a href="#/trust">Bring a newer one</a></li>);
	if (anchors.value.length === 0)
		list.push(<li key="trust">No trust anchor yet: without one every certificate is refused. <a href="#/trust">Add one</a></li>);
	if (s.counts.expected === 0)
		list.push(<li key="list">No list of expected devices. It gives them names and areas. <a href="#/scan">Import one</a></li>);
	if (last)
		list.push(<li key="failed">{last.counts.failed} devices were not provisioned by job {last.id}. <a href={`#/jobs/${last.id}`}>See why</a></li>);
	if (list.length === 0)
		return null;
	return <section><h2>Needs you</h2><ul class="todo">{list}</ul></section>;
}

// What is wrong around the server, each with its cure.
function Preflight() {
	const bad = status.value!.checks.filter((c) => !c.ok);
	if (bad.length === 0)
		return null;
	return (
		<section>
			<h2>Pre-flight</h2>
			<ul class="todo">
				{bad.map((c) => (
					<li key={c.name}><strong>{c.name}:</strong> {c.message}{c.cure && <><br />To do: {c.cure}</>}</li>
				))}
			</ul>
		</section>
	);
}

export function Overview() {
	const s = status.value;
	if (!s)
		return <p>Loading…</p>;
	const known = [...devices.value.values()];
	const far = Math.max(0, ...[...nodes.value.values()].map((n) => n.hops ?? 0));
	return (
		<>
			<h1>{s.network.name || 'Overview'}</h1>
			<div class="tiles">
				<Tile n={nodes.value.size} name="nodes" href="#/nodes" tone="good" />
				<Tile n={known.filter((d) => d.heard && d.state === 'heard').length} name="on the air" href="#/scan" />
				<Tile n={known.filter((d) => d.state === 'missing').length} name="expected, not heard" href="#/scan" />
				<Tile n={known.filter((d) => d.state === 'rejected').length} name="refused" href="#/scan" tone="bad" />
				<Tile n={servers.value.filter((x) => !x.local).length} name="servers" href="#/nodes" />
			</div>
			<Preflight />
			<NeedsMe />
			<section>
				<h2>Running</h2>
				{activeJobs.value.length === 0
					? <Empty title="Nothing runs"><a class="button main" href="#/provision">Provision the building</a></Empty>
					: activeJobs.value.map((job) => (
						<article class="card" key={job.id}>
							<div class="row spread">
								<h3><a href={`#/jobs/${job.id}`}>{jobName[job.kind]} · job {job.id}</a> <Chip state={job.state} /></h3>
								<JobButtons job={job} />
							</div>
							<Progress job={job} />
						</article>
					))}
			</section>
			<Captures />
			<section>
				<h2>Gateway</h2>
				<dl class="facts">
					<Fact name="Radio">{s.radio.name} {s.radio.speed && s.radio.speed !== '1' && `(speed ${s.radio.speed})`}</Fact>
					<Fact name="Own address">{s.network.address}</Fact>
					<Fact name="IV Index">{s.network.iv_index}</Fact>
					<Fact name="Farthest node">{far === 0 ? 'direct' : far === 1 ? '1 hop' : `${far} hops`}</Fact>
					<Fact name="Jobs so far">{jobs.value.size}</Fact>
					<Fact name="Pre-flight">
						{s.checks.filter((c) => c.ok).length} of {s.checks.length} checks are good
					</Fact>
					<Fact name="Version">{s.version}</Fact>
				</dl>
			</section>
		</>
	);
}
