// SPDX-License-Identifier: Apache-2.0
// From the one-time link to a provisioned building: first password, trust anchor, device list, job.
import { join } from 'node:path';
import { axe, check, data, noSideways, picture, to } from './world.mjs';

const good = 15; // 24 devices, less 3 bad ones, less 6 without a certificate

export async function firstSignIn(page, link) {
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
export async function preflight(page) {
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

export async function bring(page) {
	await to(page, 'Trust');
	await page.getByLabel('PEM file').setInputFiles(join(data, 'building/ca.pem'));
	await page.getByRole('button', { name: 'Add' }).click();
	await page.getByText('1 added').waitFor();
	check('the trust anchor is added', true);
	await to(page, 'Scan');
	await page.getByText('Import the list of expected devices').click();
	await page.getByLabel('File').setInputFiles(join(data, 'building/devices.csv'));
	await page.getByText(/Would take \d+ new, \d+ changed; 0 unchanged, 0 refused/).waitFor();
	await page.getByRole('button', { name: 'Import 24 devices' }).click();
	await page.getByText(/Took \d+ new/).waitFor();
	check('the device list is looked at first, then imported', true);
	await axe(page, 'scan');
	await picture(page, 'scan');
}

export async function provision(page, phone) {
	await to(page, 'Provision');
	await page.getByRole('button', { name: 'Provision every trusted device' }).waitFor();
	for (const word of ['certificate of its maker', 'secret value that the imported list gives', 'shows, blinks or beeps a value', 'enters it at the device', 'Nothing is proven'])
		check(`a policy says: ${word}`, await page.getByText(word).count() === 1);
	await axe(page, 'provision');
	await picture(page, 'provision-policies');
	let reloads = 0;
	page.on('load', () => reloads++);
	await page.getByRole('button', { name: 'Provision every trusted device' }).click();
	await page.locator('.square.running').first().waitFor({ timeout: 60000 });
	check('a device is seen at work', true);
	await picture(page, 'provision-running');
	await picture(phone, 'phone-provision-running');
	const early = await page.locator('.square.succeeded').count();
	await page.locator('main .chip.partial').first().waitFor({ timeout: 60000 });
	const late = await page.locator('.square.succeeded').count();
	check('the building fills up without a reload', late > early && late === good && reloads === 0, `${early} -> ${late}, ${reloads} reloads`);
	check('each bad device shows its reason', await page.locator('.feed li.failed').count() === 24 - good);
	for (const code of ['certificate_untrusted', 'certificate_expired', 'certificate_absent'])
		check(`${code} is named`, await page.getByText(code).count() > 0);
	await axe(page, 'provision, ended');
	await picture(page, 'provision-ended');
}

export async function lookAround(page, phone) {
	await to(page, 'Nodes');
	await page.getByRole('heading', { name: `Nodes ${good}` }).waitFor();
	await axe(page, 'nodes');
	await picture(page, 'nodes');
	await page.locator('tbody a.name').first().click();
	await page.getByText('Configuration Server').first().waitFor();
	check('a node shows its models by name', true);
	await axe(page, 'node');
	await picture(page, 'node');
	await to(page, 'Jobs');
	await page.locator('article h2 a').first().click();
	await page.getByText('What went wrong, and what to do').waitFor();
	await page.getByRole('button', { name: 'failed', exact: true }).click();
	await page.locator('tbody button.name').first().press('Enter');
	const facts = page.locator('section', { has: page.getByText('Seconds by phase') });
	for (const what of ['What to do:', 'Phase', 'Server', 'Attempts', 'Authenticated by'])
		check(`a failed task shows: ${what}`, await facts.getByText(what, { exact: true }).count() === 1);
	await axe(page, 'job');
	await picture(page, 'job');
	await to(page, 'Overview');
	await axe(page, 'overview');
	await picture(page, 'overview');
	await noSideways(phone, 'the phone');
	await to(phone, 'Nodes');
	await phone.getByRole('heading', { name: `Nodes ${good}` }).waitFor();
	check('the phone, open all the time, shows the same', true);
	await picture(phone, 'phone-nodes');
}
