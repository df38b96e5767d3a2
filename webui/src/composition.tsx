// SPDX-License-Identifier: Apache-2.0
// Composition Data of one node: its pages by name, and what differs before and after.
import { useEffect, useState } from 'preact/hooks';
import type { Composition, CompositionPage, Difference, Model, Restored } from './api';
import { get } from './api';
import { Fact, SaveCsv } from './ui';
import { dateTime, modelText, procedureName } from './words';

const pageNames: Record<number, string> = {
	0: 'elements and models', 1: 'how models belong together', 2: 'mesh profiles',
	128: 'after the next refresh: elements and models', 129: 'after the next refresh: how models belong together', 130: 'after the next refresh: mesh profiles',
};

// What a page says, whatever its members are called.
function plain(value: unknown): string {
	if (value === null || value === undefined)
		return '–';
	if (Array.isArray(value))
		return value.length ? value.map(plain).join(', ') : 'none';
	if (typeof value === 'object') {
		const o = value as Record<string, unknown>;
		if (typeof o.id === 'string' && Object.keys(o).every((k) => k === 'id' || k === 'name'))
			return modelText(o as unknown as Model);
		if (Array.isArray(o.extends))
			return `${modelText(o as unknown as Model)}${o.correspondence === null || o.correspondence === undefined ? '' : `, group ${plain(o.correspondence)}`}, extends ${plain(o.extends)}`;
		return Object.entries(o).map(([k, v]) => `${k.replace(/_/g, ' ')} ${plain(v)}`).join('; ');
	}
	return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

interface Element { address?: string; location?: string; models: Model[] }
const elementsOf = (page: CompositionPage | undefined) => (page?.decoded?.elements ?? []) as Element[];

// Pages 0 and 128 beside each other, element by element; what goes and what comes is marked.
function BeforeAfter({ pages }: { pages: CompositionPage[] }) {
	const before = elementsOf(pages.find((p) => p.page === 0)), after = elementsOf(pages.find((p) => p.page === 128));
	const side = (mine: Element | undefined, other: Element | undefined, sign: string, word: string) => (
		<td>
			{!mine ? <i>no such element</i> : (
				<ul class="plainlist">
					{mine.models.map((m, i) => {
						const marked = !other?.models.some((o) => o.id === m.id);
						return <li key={i} class={marked ? word : ''}>{marked && <b>{sign} <span class="unseen">{word} </span></b>}{modelText(m)}</li>;
					})}
				</ul>
			)}
		</td>
	);
	return (
		<div class="sides" tabIndex={0} role="region" aria-label="Before and after">
			<table>
				<thead><tr><th>Element</th><th>Now (page 0)</th><th>After the refresh (page 128)</th></tr></thead>
				<tbody>
					{Array.from({ length: Math.max(before.length, after.length) }, (_, i) => (
						<tr key={i}><th scope="row">{i + 1}</th>{side(before[i], after[i], '−', 'removed')}{side(after[i], before[i], '+', 'added')}</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

const changed = ['company', 'product', 'version', 'replay_list'] as const;

export function DifferenceList({ difference: d }: { difference: Difference }) {
	const count = (n: number, what: string) => n > 0 && <li>{n} element{n === 1 ? '' : 's'} {what}</li>;
	return (
		<ul class="difference">
			{changed.map((k) => d[k] && <li key={k}>{k.replace('_', ' ')}: {d[k]![0]} → {d[k]![1]}</li>)}
			{count(d.elements_added, 'added')}
			{count(d.elements_removed, 'removed')}
			{(d.elements ?? []).flatMap((e) => [
				...e.added.map((m) => <li key={`${e.index}+${m.id}`} class="added"><b>+</b> Element {e.index + 1}: {modelText(m)} <span class="unseen">added</span></li>),
				...e.removed.map((m) => <li key={`${e.index}-${m.id}`} class="removed"><b>−</b> Element {e.index + 1}: {modelText(m)} <span class="unseen">removed</span></li>),
			])}
		</ul>
	);
}

function Page({ page: p }: { page: CompositionPage }) {
	const d = p.decoded;
	const isList = (v: unknown) => Array.isArray(v) && v.length > 0 && typeof v[0] === 'object';
	const lists = d ? Object.entries(d).filter(([, v]) => isList(v)) : [];
	return (
		<details>
			<summary>Page {p.page}: {pageNames[p.page] ?? 'of a kind we do not know'} <span class="dim">{p.size} octets, read {dateTime(p.read_at)}</span></summary>
			{d && <dl class="facts">{Object.entries(d).filter(([, v]) => !isList(v)).map(([k, v]) => <Fact key={k} name={k.replace(/_/g, ' ')}>{plain(v)}</Fact>)}</dl>}
			{lists.map(([k, v]) => (
				<ol key={k} aria-label={k}>
					{(v as unknown[]).map((one, i) => {
						const models = (one as Element)?.models;
						return Array.isArray(models)
							? <li key={i}>{k === 'elements' ? 'Element' : k}<ul class="models">{models.map((m, n) => <li key={n}>{plain(m)}</li>)}</ul></li>
							: <li key={i}>{plain(one)}</li>;
					})}
				</ol>
			))}
			{!d && <p class="small">It is kept as it came: {p.size > 0 ? 'this server does not know its form.' : 'it is empty.'}</p>}
			<code class="break small">{p.hex}</code>
		</details>
	);
}

// Numbers and lists of what the last refresh restored and what it lost.
function RestoredFacts({ restored }: { restored: Restored }) {
	return (
		<section class="card">
			<h2>What the last refresh did to bindings, publications and subscriptions</h2>
			<dl class="facts">{Object.entries(restored).map(([k, v]) => <Fact key={k} name={k.replace(/_/g, ' ')}>{plain(v)}</Fact>)}</dl>
		</section>
	);
}

function History({ history, node }: { history: Composition['history']; node: string }) {
	const words = (d: Difference | null) => !d ? 'no difference' : [
		...changed.flatMap((k) => (d[k] ? [`${k.replace('_', ' ')} ${d[k]![0]} to ${d[k]![1]}`] : [])),
		...d.elements.flatMap((e) => [...e.added.map((m) => `element ${e.index + 1} + ${modelText(m)}`), ...e.removed.map((m) => `element ${e.index + 1} - ${modelText(m)}`)]),
	].join('; ');
	return (
		<section class="card">
			<div class="row spread">
				<h2>History</h2>
				<SaveCsv name={`history-${node}.csv`} what="the history" rows={() => [['at', 'procedure', 'difference'], ...history.map((h) => [h.at, h.procedure, words(h.difference)])]} />
			</div>
			<ul class="plainlist history">
				{history.map((h, i) => (
					<li key={i}>{dateTime(h.at)}: {procedureName[h.procedure] ?? h.procedure}{h.difference ? <DifferenceList difference={h.difference} /> : ', no difference'}</li>
				))}
			</ul>
		</section>
	);
}

// mark changes when the node has: then it is read again.
export function CompositionOf({ node, mark }: { node: string; mark: string }) {
	const [c, setC] = useState<Composition | null>(null);
	const [wrong, setWrong] = useState<string | null>(null);
	useEffect(() => {
		let current = true;
		get<Composition>(`/nodes/${node}/composition`).then((read) => {
			if (current) {
				setC(read);
				setWrong(null);
			}
		}, (error) => current && setWrong(error instanceof Error ? error.message : String(error)));
		return () => {
			current = false;
		};
	}, [node, mark]);
	if (!c)
		return wrong ? <p class="warn">{wrong}</p> : null;
	return (
		<>
			{c.difference && (
				<section class="card">
					<h2>What a refresh will change</h2>
					<DifferenceList difference={c.difference} />
					<BeforeAfter pages={c.pages} />
				</section>
			)}
			{c.restored && <RestoredFacts restored={c.restored} />}
			<section class="card">
				<h2>Composition pages</h2>
				{c.pages.length === 0 ? <p>None was read yet. “Read composition” above reads them.</p> : c.pages.map((p) => <Page key={p.page} page={p} />)}
			</section>
			{c.history.length > 0 && <History history={c.history} node={node} />}
		</>
	);
}
