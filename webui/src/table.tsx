// SPDX-License-Identifier: Apache-2.0
// A table of fixed row height that keeps only the visible rows in the document. Rows are chosen by
// click, shift and click, Space, shift and arrow keys, Ctrl+A.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { choose, chooseAll, extend, Key, Keys } from './select';

export interface Column<T> {
	name: string;
	show: (row: T) => ComponentChildren;
	sort?: (row: T) => string | number;
	wide?: boolean; // left out on a phone
}

const height = 44;
const spare = 8;

interface Choosing { rows: Key[]; picked: Keys; pick: (keys: Keys) => void; reveal: (row: number) => void }

// What the checkboxes of the rows do.
function useChoosing({ rows, picked, pick, reveal }: Choosing) {
	const anchor = useRef<Key | null>(null);
	const click = (at: number, range: boolean) => {
		pick(choose(rows, picked, at, range && anchor.current !== null ? rows.indexOf(anchor.current) : null));
		anchor.current = rows[at];
	};
	const key = (event: KeyboardEvent, at: number) => {
		const to = at + (event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0);
		if (to === at || to < 0 || to >= rows.length)
			return;
		event.preventDefault();
		if (event.shiftKey)
			pick(extend(rows, picked, at, to));
		anchor.current = rows[to];
		reveal(to);
	};
	const everyone = () => pick(chooseAll(rows, picked));
	return { click, key, everyone };
}

function Box({ label, checked, half, click, keydown, row }: {
	label: string; checked: boolean; half?: boolean; click: (range: boolean) => void; keydown?: (e: KeyboardEvent) => void; row?: number;
}) {
	const input = useRef<HTMLInputElement>(null);
	useEffect(() => {
		input.current!.indeterminate = !!half;
	}, [half]);
	return <input ref={input} type="checkbox" aria-label={label} checked={checked} data-row={row} onClick={(e) => click(e.shiftKey)} onKeyDown={keydown} />;
}

export function Table<T>({ label, rows, columns, id, title, open, picked, pick }: {
	label: string; rows: T[]; columns: Column<T>[]; id: (row: T) => Key; title?: (row: T) => string; open?: (row: T) => void;
	picked?: Keys; pick?: (ids: Keys) => void;
}) {
	const box = useRef<HTMLDivElement>(null);
	const [top, setTop] = useState(0);
	const [tall, setTall] = useState(600);
	const [order, setOrder] = useState<{ column: number; down: boolean }>({ column: -1, down: false });
	const [wanted, setWanted] = useState<number | null>(null);

	useLayoutEffect(() => {
		const measure = () => box.current && setTall(box.current.clientHeight);
		measure();
		addEventListener('resize', measure);
		return () => removeEventListener('resize', measure);
	}, []);

	const sorted = useMemo(() => {
		const key = columns[order.column]?.sort;
		if (!key)
			return rows;
		return [...rows].sort((a, b) => {
			const x = key(a), y = key(b);
			const less = x < y ? -1 : x > y ? 1 : 0;
			return order.down ? -less : less;
		});
	}, [rows, order, columns]);
	const keys = useMemo(() => sorted.map(id), [sorted]);

	// The row that the keyboard goes to may not be in the document yet: scroll there, then focus it.
	useLayoutEffect(() => {
		const input = wanted === null ? null : box.current?.querySelector<HTMLInputElement>(`[data-row="${wanted}"]`);
		if (input) {
			input.focus({ preventScroll: true });
			setWanted(null);
		}
	});
	const reveal = (row: number) => {
		const el = box.current!;
		const from = row * height, to = from + 2 * height; // the head row covers one
		if (from < el.scrollTop)
			el.scrollTop = from;
		else if (to > el.scrollTop + el.clientHeight)
			el.scrollTop = to - el.clientHeight;
		setWanted(row);
	};
	const { click, key, everyone } = useChoosing({ rows: keys, picked: picked ?? new Set(), pick: pick ?? (() => undefined), reveal });
	const shown = keys.filter((k) => picked?.has(k)).length;
	const all = (event: KeyboardEvent) => {
		if (!pick || event.key !== 'a' || !(event.ctrlKey || event.metaKey))
			return;
		event.preventDefault();
		everyone();
	};

	const first = Math.max(0, Math.floor(top / height) - spare);
	const last = Math.min(sorted.length, Math.ceil((top + tall) / height) + spare);
	const sortBy = (column: number) => setOrder({ column, down: order.column === column && !order.down });

	return (
		<div class="table" ref={box} onScroll={(e) => setTop(e.currentTarget.scrollTop)} onKeyDown={all} tabIndex={0} role="region" aria-label={label}>
			<table aria-rowcount={sorted.length + 1}>
				<thead>
					<tr aria-rowindex={1}>
						{pick && <th class="pick"><Box label="Choose all" checked={keys.length > 0 && shown === keys.length} half={shown > 0 && shown < keys.length} click={everyone} /></th>}
						{columns.map((c, i) => (
							<th key={c.name} class={c.wide ? 'wide' : ''} aria-sort={order.column !== i ? undefined : order.down ? 'descending' : 'ascending'}>
								{c.sort ? <button class="plain" onClick={() => sortBy(i)}>{c.name}{order.column === i ? (order.down ? ' ▾' : ' ▴') : ''}</button> : c.name}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{first > 0 && <tr aria-hidden="true" style={{ height: first * height }} />}
					{sorted.slice(first, last).map((row, i) => (
						<tr key={id(row)} aria-rowindex={first + i + 2} class={open ? 'open' : ''} onClick={open && (() => open(row))}>
							{pick && (
								<td class="pick" onClick={(e) => e.stopPropagation()}>
									<Box label={`Choose ${(title ?? id)(row)}`} checked={picked!.has(id(row))} row={first + i}
										click={(range) => click(first + i, range)} keydown={(e) => key(e, first + i)} />
								</td>
							)}
							{columns.map((c) => <td key={c.name} class={c.wide ? 'wide' : ''}>{c.show(row)}</td>)}
						</tr>
					))}
					{last < sorted.length && <tr aria-hidden="true" style={{ height: (sorted.length - last) * height }} />}
				</tbody>
			</table>
		</div>
	);
}
