// SPDX-License-Identifier: Apache-2.0
// A table of fixed row height that keeps only the visible rows in the document.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

export interface Column<T> {
	name: string;
	show: (row: T) => ComponentChildren;
	sort?: (row: T) => string | number;
	wide?: boolean; // left out on a phone
}

const height = 44;
const spare = 8;

export function Table<T>({ label, rows, columns, id, open, picked, pick }: {
	label: string; rows: T[]; columns: Column<T>[]; id: (row: T) => string | number; open?: (row: T) => void;
	picked?: ReadonlySet<string | number>; pick?: (ids: ReadonlySet<string | number>) => void;
}) {
	const box = useRef<HTMLDivElement>(null);
	const [top, setTop] = useState(0);
	const [tall, setTall] = useState(600);
	const [order, setOrder] = useState<{ column: number; down: boolean }>({ column: -1, down: false });

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

	const first = Math.max(0, Math.floor(top / height) - spare);
	const last = Math.min(sorted.length, Math.ceil((top + tall) / height) + spare);
	const sortBy = (column: number) => setOrder({ column, down: order.column === column && !order.down });
	const toggle = (key: string | number) => {
		const next = new Set(picked);
		if (!next.delete(key))
			next.add(key);
		pick?.(next);
	};
	const everyone = () => pick?.(picked!.size === rows.length ? new Set() : new Set(rows.map(id)));

	return (
		<div class="table" ref={box} onScroll={(e) => setTop(e.currentTarget.scrollTop)} tabIndex={0} role="region" aria-label={label}>
			<table aria-rowcount={sorted.length + 1}>
				<thead>
					<tr aria-rowindex={1}>
						{pick && <th class="pick"><input type="checkbox" aria-label="Choose all" checked={rows.length > 0 && picked!.size === rows.length} onChange={everyone} /></th>}
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
							{pick && <td class="pick" onClick={(e) => e.stopPropagation()}><input type="checkbox" aria-label={`Choose ${id(row)}`} checked={picked!.has(id(row))} onChange={() => toggle(id(row))} /></td>}
							{columns.map((c) => <td key={c.name} class={c.wide ? 'wide' : ''}>{c.show(row)}</td>)}
						</tr>
					))}
					{last < sorted.length && <tr aria-hidden="true" style={{ height: (sorted.length - last) * height }} />}
				</tbody>
			</table>
		</div>
	);
}
