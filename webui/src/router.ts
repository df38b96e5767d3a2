// SPDX-License-Identifier: Apache-2.0
// The page is the part of the address behind "#/": no reloads, and a link to each page works.
import { signal } from '@preact/signals';

const read = () => location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);

export const route = signal<string[]>(read());

addEventListener('hashchange', () => {
	route.value = read();
	scrollTo(0, 0);
});

export const go = (path: string) => (location.hash = path);

// Without a trace of the former address in the history: it may have held a one-time link.
export function replace(path: string): void {
	history.replaceState(null, '', `#${path}`);
	route.value = read();
}
