// SPDX-License-Identifier: Apache-2.0
// Signs in by the one-time link, sets the first password, brings trust anchor and device list,
// starts the job and sees it end; on a laptop and on a phone; every page through axe.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const axeSource = readFileSync(join(here, 'node_modules/axe-core/axe.min.js'), 'utf8');
const build = process.argv[2];
const pictures = process.env.PICTURES; // folder for screenshots, for a person to look at
const data = mkdtempSync(join(tmpdir(), 'meshmason-web-'));
const seed = Math.floor(Math.random() * 1e9);
let passed = 0, failed = 0;

function check(name, good, detail = '') {
	console.log(`${good ? 'ok' : 'FAIL'}: ${name}${good ? '' : ` ${detail}`}`);
	good ? passed++ : failed++;
}

function startServer() {
	const building = `devices=24,floors=2,loss=0.05,untrusted=1,expired=1,dead=1,seed=${seed}`;
	const server = spawn(join(build, 'meshmasond'), ['--data', data, '--listen', '127.0.0.1:0', '--radio', `sim:${building}`,
		'--sim-speed', '20', '--webui', join(here, '../../webui/dist')]);
	let text = '', errors = '';
	server.stderr.on('data', (piece) => (errors += piece));
	const ready = new Promise((resolve, reject) => {
		server.stdout.on('data', (piece) => {
			text += piece;
			const link = /^dashboard: (\S+)$/m.exec(text);
			if (link)
				resolve(link[1]);
		});
		server.on('exit', () => reject(new Error(`the server ended: ${errors}`)));
	});
	return { server, ready };
}

async function axe(page, name) {
	await page.evaluate(axeSource);
	const result = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations
		.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', ')}`));
	check(`axe finds nothing on ${name}`, result.length === 0, result.join('; '));
}

async function picture(page, name) {
	if (pictures)
		await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: false });
}

async function firstSignIn(page, link) {
	await page.goto(link);
	await page.getByRole('heading', { name: 'Make this gateway yours' }).waitFor();
	await axe(page, 'setup');
	await page.getByLabel('Name').fill('ada');
	await page.getByLabel('Password, 12 characters or more').fill('short');
	check('a short password is refused', await page.getByRole('button', { name: 'Save and go on' }).isDisabled());
	await page.getByLabel('Password, 12 characters or more').fill('correct horse battery');
	await page.getByLabel('The same again').fill('correct horse battery');
	await page.getByRole('button', { name: 'Save and go on' }).click();
	await page.getByText('Needs you').waitFor();
	check('the one-time link and a password lead to the overview', true);
	await picture(page, 'overview-empty');
}

// A check that is not good shows with its cure; the answer is changed on its way.
async function preflight(page) {
	check('all checks are good', await page.getByText('4 of 4 checks are good').count() === 1);
	await page.route('**/api/v1/status', async (route) => {
		const response = await route.fetch();
		const status = await response.json();
		status.checks[0] = { name: 'radio', ok: false, message: 'hci0: in use by bluetoothd (pid 5)', cure: 'systemctl stop bluetooth' };
		await route.fulfill({ response, json: status });
	});
	await page.reload();
	await page.getByRole('heading', { name: 'Pre-flight' }).waitFor();
	check('a check that is not good shows its cure', await page.getByText('To do: systemctl stop bluetooth').count() === 1);
	await axe(page, 'overview, not ready');
	await picture(page, 'overview-preflight');
	await page.unroute('**/api/v1/status');
	await page.reload();
	await page.getByText('4 of 4 checks are good').waitFor();
}

async function bring(page) {
	await page.getByRole('link', { name: 'Trust' }).click();
	await page.getByLabel('PEM file').setInputFiles(join(data, 'building/ca.pem'));
	await page.getByRole('button', { name: 'Add' }).click();
	await page.getByText('1 added').waitFor();
	check('the trust anchor is added', true);
	await axe(page, 'trust');
	await picture(page, 'trust');
	await page.getByRole('link', { name: 'Scan' }).click();
	await page.getByText('Import the list of expected devices').click();
	await page.getByLabel('File').setInputFiles(join(data, 'building/devices.csv'));
	await page.getByText(/Would take \d+ new, \d+ changed; 0 unchanged, 0 refused/).waitFor();
	await page.getByRole('button', { name: 'Import 24 devices' }).click();
	await page.getByText(/Took \d+ new/).waitFor();
	check('the device list is looked at first, then imported', true);
	await axe(page, 'scan');
	await picture(page, 'scan');
}

async function provision(page, phone) {
	await page.getByRole('link', { name: 'Provision', exact: true }).click();
	await page.getByRole('button', { name: 'Provision every trusted device' }).waitFor();
	await axe(page, 'provision');
	let reloads = 0;
	page.on('load', () => reloads++);
	await page.getByRole('button', { name: 'Provision every trusted device' }).click();
	await page.locator('.square.running').first().waitFor({ timeout: 60000 });
	check('a device is seen at work', true);
	await picture(page, 'provision-running');
	await picture(phone, 'phone-provision-running');
	const early = await page.locator('.square.succeeded').count();
	await page.locator('main .chip.partial').first().waitFor({ timeout: 240000 });
	const late = await page.locator('.square.succeeded').count();
	check('the building fills up without a reload', late > early && late === 21 && reloads === 0, `${early} -> ${late}, ${reloads} reloads`);
	check('each bad device shows its reason', await page.locator('.feed li.failed').count() === 3);
	for (const code of ['certificate_untrusted', 'certificate_expired'])
		check(`${code} is named`, await page.getByText(code).count() > 0);
	await axe(page, 'provision, ended');
	await picture(page, 'provision-ended');
}

async function lookAround(page, phone) {
	await page.getByRole('link', { name: 'Nodes', exact: true }).click();
	await page.getByRole('heading', { name: 'Nodes 21' }).waitFor();
	await axe(page, 'nodes');
	await picture(page, 'nodes');
	await page.locator('tbody tr.open').first().click();
	await page.getByText('Configuration Server').first().waitFor();
	check('a node shows its models by name', true);
	await axe(page, 'node');
	await picture(page, 'node');
	await page.getByRole('link', { name: 'Jobs', exact: true }).first().click();
	await page.locator('article h2 a').first().click();
	await page.getByText('What went wrong, and what to do').waitFor();
	await axe(page, 'job');
	await picture(page, 'job');
	await page.getByRole('link', { name: 'Overview' }).click();
	await axe(page, 'overview');
	await picture(page, 'overview');
	const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	check('the phone needs no sideways scrolling', wide <= 0, `${wide} pixels too wide`);
	await phone.getByRole('link', { name: 'Nodes', exact: true }).click();
	await phone.getByRole('heading', { name: 'Nodes 21' }).waitFor();
	check('the phone, open all the time, shows the same', true);
	await picture(phone, 'phone-nodes');
}

const { server, ready } = startServer();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
console.log(`seed ${seed}`);
try {
	const link = await ready;
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
	const page = await context.newPage();
	const outside = [];
	context.on('request', (r) => new URL(r.url()).hostname !== '127.0.0.1' && !r.url().startsWith('data:') && !r.url().startsWith('blob:') && outside.push(r.url()));
	const complaints = [];
	page.on('console', (m) => m.type() === 'error' && complaints.push(m.text()));
	page.on('pageerror', (e) => complaints.push(String(e)));
	await firstSignIn(page, link);
	await preflight(page);
	await bring(page);
	const phone = await context.newPage();
	await phone.setViewportSize({ width: 360, height: 740 });
	await phone.goto(`${new URL(link).origin}/#/provision`);
	await phone.getByRole('heading', { name: 'Provision' }).waitFor();
	await provision(page, phone);
	await lookAround(page, phone);
	await page.getByRole('button', { name: 'Sign out' }).click();
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
	await page.getByLabel('Name').fill('ada');
	await page.getByLabel('Password').fill('correct horse battery');
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.getByRole('link', { name: 'Overview' }).waitFor();
	check('signing out and in again by name and password', true);
	check('nothing is asked of the internet', outside.length === 0, outside.join(' '));
	const real = complaints.filter((c) => !/40[14]/.test(c));
	check('the console has no error', real.length === 0, real.join(' | '));
} catch (error) {
	check('the walk through the dashboard', false, error.message);
} finally {
	await browser.close();
	server.removeAllListeners('exit');
	const gone = new Promise((resolve) => server.on('exit', resolve));
	if (server.exitCode === null) {
		server.kill('SIGTERM');
		await gone;
	}
	rmSync(data, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
