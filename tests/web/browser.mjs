// SPDX-License-Identifier: Apache-2.0
// Through the dashboard as an installer, on a laptop and on a phone, page by page, each through axe:
// sign-in and the main job, then (the server stopped and started) what comes after it.
import { chromium } from 'playwright-core';
import * as first from './first.mjs';
import * as overview from './overview.mjs';
import * as prompts from './prompts.mjs';
import * as refresh from './refresh.mjs';
import * as scan from './scan.mjs';
import * as trust from './trust.mjs';
import { check, cleanUp, picture, seed, startServer, stopServer, totals } from './world.mjs';

const sections = {
	identify: (page, phone) => scan.identify(page, phone),
	scan: (page) => scan.extendedScan(page),
	trust: async (page, phone) => {
		await trust.trustCheck(page);
		await trust.revocation(page, phone);
	},
	prompts: async (page, phone) => {
		const digits = await prompts.sixWays(page, phone);
		await prompts.askAgain(page, digits);
		await prompts.methods(page, digits);
	},
	refresh: async (page, phone) => {
		await refresh.choosing(page);
		await refresh.deviceKeys(page);
		await refresh.move(page, phone);
		await refresh.composition(page, phone);
	},
	overview: async (page) => {
		await overview.captures(page);
		await overview.signInAgain(page);
	},
};

async function step(name, run, page) {
	try {
		await run();
	} catch (error) {
		check(`the walk through ${name}`, false, error.message);
		await picture(page, `failed-${name}`);
	}
}

console.log(`seed ${seed}`);
let { server, ready } = startServer(20, true);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const chosen = process.argv.slice(3); // sections; all when none is named
const outside = [], complaints = [];
try {
	const link = await ready;
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
	const page = await context.newPage();
	page.setDefaultTimeout(20000);
	context.on('request', (r) => new URL(r.url()).hostname !== '127.0.0.1' && !r.url().startsWith('data:') && !r.url().startsWith('blob:') && outside.push(r.url()));
	page.on('console', (m) => m.type() === 'error' && complaints.push(m.text()));
	page.on('pageerror', (e) => complaints.push(String(e)));
	let speed = 20, phone;
	const again = async (faster) => {
		speed = faster;
		await stopServer(server);
		({ server, ready } = startServer(speed, false));
		const origin = new URL(await ready).origin;
		for (const p of [page, phone])
			await p.goto(`${origin}/#/`);
		await page.getByRole('heading', { name: 'Gateway' }).waitFor();
		check('a server that starts again knows who is signed in', true);
		complaints.length = 0; // while it was away
	};
	await first.firstSignIn(page, link);
	await first.preflight(page);
	await first.bring(page);
	phone = await context.newPage();
	phone.setDefaultTimeout(20000);
	await phone.setViewportSize({ width: 360, height: 740 });
	await phone.emulateMedia({ colorScheme: 'dark' });
	await phone.goto(`${new URL(link).origin}/#/provision`);
	await phone.getByRole('heading', { name: 'Provision' }).waitFor();
	await first.provision(page, phone);
	await first.lookAround(page, phone);

	for (const [name, run] of Object.entries(sections)) {
		if (chosen.length > 0 && !chosen.includes(name))
			continue;
		if (name === 'identify')
			await again(2); // blinking takes its time
		else if (speed !== 20)
			await again(20);
		await step(name, () => run(page, phone), page);
	}
	check('nothing is asked of the internet', outside.length === 0, outside.join(' '));
	const real = complaints.filter((c) => !/status of 4\d\d/.test(c));
	check('the console has no error', real.length === 0, real.join(' | '));
} catch (error) {
	check('the walk through the dashboard', false, [error.stack, ...complaints].join('\n'));
} finally {
	await browser.close();
	await stopServer(server);
	cleanUp();
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed ? 1 : 0);
