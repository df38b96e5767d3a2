// SPDX-License-Identifier: Apache-2.0
// Bundles src/ into dist/: index.html, assets/NAME-HASH.{js,css}, a .gz beside each.
import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');
const making = join(here, 'dist.new');
const budget = { first: 60 * 1024, all: 200 * 1024 }; // octets, gzip

rmSync(making, { recursive: true, force: true });
mkdirSync(making, { recursive: true });
const result = await build({
	entryPoints: [join(here, 'src/main.tsx'), join(here, 'src/style.css')],
	outdir: join(making, 'assets'),
	entryNames: '[name]-[hash]',
	bundle: true,
	minify: true,
	format: 'esm',
	target: ['es2020'],
	jsx: 'automatic',
	jsxImportSource: 'preact',
	legalComments: 'none',
	metafile: true,
	logLevel: 'warning',
});
const outputs = Object.keys(result.metafile.outputs).map((path) => path.split('/').pop());
const named = (suffix) => outputs.find((name) => name.endsWith(suffix));
const page = readFileSync(join(here, 'index.html'), 'utf8')
	.replace('{{script}}', `/assets/${named('.js')}`)
	.replace('{{style}}', `/assets/${named('.css')}`);
writeFileSync(join(making, 'index.html'), page);
writeFileSync(join(making, 'icon.svg'), readFileSync(join(here, 'icon.svg')));

let total = 0;
for (const folder of ['', 'assets']) {
	for (const name of readdirSync(join(making, folder))) {
		if (!/\.(js|css|html|svg)$/.test(name))
			continue;
		const packed = gzipSync(readFileSync(join(making, folder, name)), { level: 9 });
		writeFileSync(join(making, folder, `${name}.gz`), packed);
		total += packed.length;
	}
}
if (total > budget.first || total > budget.all)
	throw new Error(`the dashboard is ${total} octets compressed: over its budget`);
rmSync(dist, { recursive: true, force: true });
renameSync(making, dist);
console.log(`dashboard: ${(total / 1024).toFixed(1)} KiB compressed`);
