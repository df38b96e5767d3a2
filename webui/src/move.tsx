// SPDX-License-Identifier: Apache-2.0
// Address moves: seen before they are begun.
import { useEffect, useState } from 'preact/hooks';
import type { MeshNode, Move } from './api';
import { get } from './api';
import { nodes, status } from './store';
import { Fact } from './ui';

// "100", "0100" and "0x100" mean 0x0100; null is no address that a node can have.
export function addressOf(text: string): string | null {
	const hex = /^(0x)?([0-9a-f]{1,4})$/i.exec(text.trim())?.[2];
	const value = hex ? parseInt(hex, 16) : 0;
	return value > 0 && value < 0x8000 ? `0x${value.toString(16).padStart(4, '0')}` : null;
}

const plus = (address: string, n: number) => `0x${(parseInt(address, 16) + n).toString(16).padStart(4, '0')}`;
export const rangeText = (first: string, n: number) => (n > 1 ? `${first} to ${plus(first, n - 1)}` : first);

function Preview({ move }: { move: Move }) {
	const iv = status.value?.network.iv_index ?? 0;
	const left = move.quarantined;
	return (
		<dl class="facts" aria-label="Preview">
			<Fact name="From">{move.from}</Fact>
			<Fact name="To">{move.to ? rangeText(move.to, move.elements) : 'no free range'}</Fact>
			<Fact name="Elements">{move.elements}</Fact>
			<Fact name="Is it free?">{move.free ? 'Yes, it is free.' : <span class="bad">No. {move.reason} {move.to ? 'Choose another address, or leave the field empty.' : 'Remove nodes first.'}</span>}</Fact>
			{left && <Fact name="In quarantine afterwards">{left[0] === left[1] ? left[0] : `${left[0]} to ${left[1]}`}, until IV index {iv + 2}</Fact>}
		</dl>
	);
}

// One node: to an address of choice, or the lowest that is free. Says the address, or that it may not start.
export function MoveOne({ node, ready }: { node: string; ready: (to: string | null, good: boolean) => void }) {
	const [text, setText] = useState('');
	const [move, setMove] = useState<Move | null>(null);
	const [wrong, setWrong] = useState<string | null>(null);
	const to = text.trim() ? addressOf(text) : null;
	const bad = !!text.trim() && !to;
	useEffect(() => {
		let current = true;
		ready(null, false);
		setMove(null);
		setWrong(bad ? 'An address is 0x0001 to 0x7fff.' : null);
		const timer = setTimeout(async () => {
			try {
				const read = bad ? null : await get<Move>(`/nodes/${node}/move${to ? `?to=${to}` : ''}`);
				if (!current || !read)
					return;
				setMove(read);
				ready(to, read.free);
			} catch (error) {
				if (current)
					setWrong(error instanceof Error ? error.message : String(error));
			}
		}, 200);
		return () => {
			current = false;
			clearTimeout(timer);
		};
	}, [node, to, bad]);
	return (
		<>
			<label>To address<input value={text} placeholder="the lowest free range" spellcheck={false} autocomplete="off" aria-invalid={bad || undefined} onInput={(e) => setText(e.currentTarget.value)} /></label>
			<div role="status">
				{wrong && <p class="warn">{wrong}</p>}
				{move && <Preview move={move} />}
			</div>
		</>
	);
}

// Many nodes: each gets the lowest free range when its turn comes.
export function MoveMany({ list }: { list: MeshNode[] }) {
	const shown = list.slice(0, 12);
	return (
		<>
			<p>Each of these {list.length} nodes moves to the lowest range that is free when its turn comes. The addresses they leave are in quarantine until IV index {(status.value?.network.iv_index ?? 0) + 2}.</p>
			<ul class="moves" aria-label="Preview">
				{shown.map((n) => <li key={n.address}><b>{n.name ?? n.uuid}</b> leaves {rangeText(n.address, n.element_count)}, {n.element_count} element{n.element_count === 1 ? '' : 's'}</li>)}
				{list.length > shown.length && <li>and {list.length - shown.length} more</li>}
			</ul>
		</>
	);
}

export const nodesOf = (addresses: string[]) => addresses.map((a) => nodes.value.get(a)).filter((n) => n !== undefined);
