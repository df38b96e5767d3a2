// SPDX-License-Identifier: Apache-2.0
// Which rows are chosen: by click, by shift and click, by keyboard. No document in here.

export type Key = string | number;
export type Keys = ReadonlySet<Key>;

// One row changes sides; with a range, all rows from there to here take the side of this one.
export function choose(rows: Key[], chosen: Keys, at: number, from: number | null): Keys {
	const next = new Set(chosen);
	const on = !chosen.has(rows[at]);
	const [low, high] = from === null || from < 0 ? [at, at] : [Math.min(at, from), Math.max(at, from)];
	for (const key of rows.slice(low, high + 1)) {
		if (on)
			next.add(key);
		else
			next.delete(key);
	}
	return next;
}

// Shift and an arrow key: the rows gone over are chosen.
export function extend(rows: Key[], chosen: Keys, from: number, to: number): Keys {
	return new Set([...chosen, rows[from], rows[to]]);
}

// All that are shown, or none of them; what is chosen and not shown stays so.
export function chooseAll(rows: Key[], chosen: Keys): Keys {
	const next = new Set(chosen);
	const every = rows.every((key) => chosen.has(key));
	for (const key of rows) {
		if (every)
			next.delete(key);
		else
			next.add(key);
	}
	return next;
}
