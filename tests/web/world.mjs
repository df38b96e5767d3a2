// SPDX-License-Identifier: Apache-2.0
// What every page's test needs: the server on a simulated building, checks, axe, screenshots, and
// the person who stands at a device.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const axeSource = readFileSync(join(here, 'node_modules/axe-core/axe.min.js'), 'utf8');
const pictures = process.env.PICTURES; // folder for screenshots, for a person to look at
const build = process.argv[2];

export const data = mkdtempSync(join(tmpdir(), 'meshmason-web-'));
export const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
export const totals = { passed: 0, failed: 0 };
const state = join(data, 'building/state');

export function check(name, good, detail = '') {
	console.log(`${good ? 'ok' : 'FAIL'}: ${name}${good ? '' : ` ${detail}`}`);
	good ? totals.passed++ : totals.failed++;
}

// ready: the one-time link of the first start, later the address.
export function startServer(speed, first) {
	const building = `devices=24,floors=2,servers=1,loss=0.05,untrusted=1,expired=1,dead=1,cbp=0.75,oob_prompt=6,composition_change=4,seed=${seed}`;
	const server = spawn(join(build, 'meshmasond'), ['--data', data, '--listen', '127.0.0.1:0', '--radio', `sim:${building}`,
		'--sim-speed', String(speed), '--webui', join(here, '../../webui/dist')]);
	process.on('exit', () => server.kill()); // whatever ends us
	let text = '', errors = '';
	server.stderr.on('data', (piece) => (errors += piece));
	const ready = new Promise((resolve, reject) => {
		server.stdout.on('data', (piece) => {
			text += piece;
			const link = (first ? /^dashboard: (\S+)$/m : /^listening: (\S+)$/m).exec(text);
			if (link)
				resolve(link[1]);
		});
		server.on('exit', () => reject(new Error(`the server ended: ${errors}`)));
	});
	return { server, ready };
}

export async function stopServer(server) {
	server.removeAllListeners('exit');
	const gone = new Promise((resolve) => server.on('exit', resolve));
	if (server.exitCode === null) {
		server.kill('SIGTERM');
		await gone;
	}
}

export const cleanUp = () => rmSync(data, { recursive: true, force: true });

export async function axe(page, name) {
	await page.evaluate(axeSource);
	const result = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations
		.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', ')}`));
	check(`axe finds nothing on ${name}`, result.length === 0, result.join('; '));
}

export async function picture(page, name) {
	if (pictures)
		await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: false });
}

export async function noSideways(page, name) {
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	check(`${name} needs no sideways scrolling`, wide <= 0, `${wide} pixels too wide`);
}

export const to = (page, name) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click();

// The rows of a file that a button saves.
export async function saved(page, button) {
	const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
	return readFileSync(await file.path(), 'utf8').trim().split('\r\n');
}

// What the displays of the devices say now: "show digits 5 12345" or "enter count 1 -".
export function displays() {
	return new Map(readdirSync(state).filter((name) => name.endsWith('.display')).map((name) => {
		const [does, type, size, value] = readFileSync(join(state, name), 'utf8').trim().split(' ');
		return [name.slice(0, -'.display'.length), { does, type, size: Number(size), value }];
	}));
}

// Uuids of the devices whose hardware changes once they are nodes.
export function changing() {
	const shown = execFileSync(join(build, 'meshmason-building'), ['show', join(data, 'building/building.json'), '--json'], { maxBuffer: 1 << 24 });
	return new Set(JSON.parse(shown).devices.filter((d) => d.composition_change).map((d) => d.uuid));
}

// A person enters this at the device.
export const press = (uuid, value) => writeFileSync(join(state, `${uuid}.press`), `${value}\n`);

export async function until(what, limit = 30000) {
	const end = Date.now() + limit;
	for (;;) {
		const got = await what();
		if (got)
			return got;
		if (Date.now() > end)
			throw new Error(`not within ${limit / 1000} s: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}
