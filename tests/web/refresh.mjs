// SPDX-License-Identifier: Apache-2.0
// The Nodes and Node pages: rows chosen by shift and by keyboard, keys renewed, an address moved,
// a composition taken over.
import { axe, changing, check, noSideways, picture, saved, to, until } from './world.mjs';

const rows = (page) => page.locator('tbody tr.open');
const nodes = (page) => page.evaluate(async () => (await (await fetch('/api/v1/nodes?limit=1000')).json()).items);
const keysOf = async (page) => new Map((await nodes(page)).map((n) => [n.address, n.device_key_id]));
const renewed = (before, after) => [...after].filter(([a, key]) => before.get(a) !== key).length;

async function open(page) {
	await to(page, 'Nodes');
	await page.getByText('Renew keys, addresses or compositions').click();
}

async function ended(page, name) {
	await page.getByRole('heading', { level: 1, name }).waitFor();
	const chip = page.locator('h1 .chip');
	await until(async () => ['succeeded', 'partial', 'failed', 'cancelled'].includes(await chip.textContent()), 60000);
	return chip.textContent();
}

// By mouse with shift, by keyboard with shift, all at once.
export async function choosing(page) {
	await to(page, 'Nodes');
	const boxes = page.locator('tbody input[type=checkbox]');
	const count = () => page.locator('tbody input:checked').count();
	await boxes.nth(1).click();
	await boxes.nth(4).click({ modifiers: ['Shift'] });
	check('shift and click choose a range', await count() === 4);
	check('how many are selected is said', await page.getByText('4 selected', { exact: true }).count() === 1);
	await page.getByRole('button', { name: 'Select none' }).click();
	await boxes.nth(0).focus();
	await page.keyboard.press('Space');
	await page.keyboard.press('Shift+ArrowDown');
	await page.keyboard.press('Shift+ArrowDown');
	check('space, shift and arrow keys choose a range', await count() === 3);
	await page.keyboard.press('Control+a');
	const all = (await nodes(page)).length;
	check('Ctrl+A chooses all', await page.getByText(`${all} selected`, { exact: true }).count() === 1);
	await page.keyboard.press('Control+a');
	check('and none', await count() === 0);
}

export async function deviceKeys(page) {
	await open(page);
	const before = await keysOf(page);
	const all = before.size;
	await page.locator('tbody input[type=checkbox]').nth(0).click();
	await page.locator('tbody input[type=checkbox]').nth(1).click();
	await axe(page, 'nodes, two chosen');
	await picture(page, 'nodes-renew');
	await page.getByRole('button', { name: 'Renew device key of 2 nodes' }).click();
	const state = await ended(page, /^Renew device keys · job/);
	check('the job renews the keys of the selected nodes', state === 'succeeded', state);
	await to(page, 'Nodes');
	const after = await keysOf(page);
	check('their keys are new, the others are as they were', renewed(before, after) === 2, `${renewed(before, after)} are new`);
	await open(page);
	await page.getByText(`All ${all} nodes`).click();
	await page.getByRole('button', { name: `Renew device key of ${all} nodes` }).click();
	const end = await ended(page, /^Renew device keys · job/);
	check('the job renews all keys', end === 'succeeded', end);
	await picture(page, 'job-keys');
	await to(page, 'Nodes');
	const last = await keysOf(page);
	check('every key is new', renewed(after, last) === last.size, `${renewed(after, last)} of ${last.size}`);
}

export async function move(page, phone) {
	await to(page, 'Nodes');
	const used = await rows(page).nth(1).locator('td:nth-child(3)').textContent();
	await page.locator('tbody a.name').first().press('Enter');
	await page.getByText('Renew its key, address or composition').click();
	await page.getByText('Moves to a free range').click();
	const button = page.getByRole('button', { name: 'Move address' });
	const preview = page.getByLabel('Preview');
	await preview.waitFor();
	const from = new URL(page.url()).hash.split('/').pop();
	check('without a wish, the lowest free range is seen beforehand', /Yes, it is free/.test(await preview.textContent()) && (await preview.textContent()).includes(from));
	await page.getByLabel('To address').fill(used);
	await preview.getByText('No.', { exact: false }).waitFor();
	check('an address in use is refused beforehand, with its reason', await button.isDisabled());
	await picture(page, 'node-move-refused');
	await page.getByLabel('To address').fill('nonsense');
	await page.getByText('An address is 0x0001 to 0x7fff.').waitFor();
	await page.getByLabel('To address').fill('1000');
	await preview.getByText('0x1000').waitFor();
	check('what it leaves goes into quarantine, it says', /In quarantine afterwards/.test(await preview.textContent()));
	await axe(page, 'node, address move');
	await picture(page, 'node-move');
	await button.click();
	const state = await ended(page, /^Move addresses · job/);
	check('the node moves', state === 'succeeded', state);
	await picture(page, 'job-move');
	await page.goto(`${page.url().split('#')[0]}#/nodes/0x1000`);
	await page.getByRole('heading', { name: 'History' }).waitFor();
	check('it has its own page at the new address, and a history', true);
	await to(page, 'Nodes');
	await page.getByText('Addresses that are not free').click();
	await page.getByRole('region', { name: 'Addresses that are not free' }).getByText('in quarantine').first().waitFor();
	const lines = await saved(page, page.getByRole('button', { name: 'Save the addresses as CSV' }));
	check('the range that it left is in quarantine', lines.some((line) => line.startsWith(from) && line.includes('excluded')), lines.join('\n'));
	await axe(page, 'nodes, addresses');
	await to(phone, 'Nodes');
	await phone.getByText('0x1000').first().waitFor();
	await noSideways(phone, 'Nodes on a phone');
}

export async function composition(page, phone) {
	await open(page);
	const list = await nodes(page), changed = changing(), all = list.length;
	const waiting = list.filter((n) => changed.has(n.uuid) && n.address !== '0x1000'); // who moves takes it over, too
	const expected = `Changed ${waiting.length}`;
	await page.getByText(`All ${all} nodes`).click();
	await page.getByText('Reads all pages again').click();
	await page.getByRole('button', { name: `Read composition of ${all} nodes` }).click();
	const read = await ended(page, /^Read compositions · job/);
	check('all pages are read', read === 'succeeded', read);
	await to(page, 'Nodes');
	await until(async () => (await page.getByRole('button', { name: /^Changed/ }).textContent()) === expected);
	check('nodes whose hardware has changed are found', true);
	await page.getByRole('button', { name: /^Changed/ }).click();
	await picture(page, 'nodes-changed');
	await page.locator('tbody a.name').first().click();
	await page.getByText('What a refresh will change').waitFor();
	const added = await page.locator('.sides .added').allTextContents();
	check('the difference names what is new', added.length > 0 && added.every((t) => /[A-Z]\w+ .*\(0x|0x/.test(t)), added.join(' | '));
	await page.getByText(/^Page 0:/).click();
	check('page 0 is decoded to names', await page.locator('details[open]').getByText(/Configuration Server \(0x0000\)/).count() > 0);
	await axe(page, 'node, composition changed');
	await picture(page, 'node-changed');
	await phone.goto(page.url());
	await phone.getByText('What a refresh will change').waitFor();
	await noSideways(phone, 'a changed node on a phone');
	await picture(phone, 'phone-node-changed');
	const url = page.url();
	await page.getByRole('button', { name: 'Take over the changes' }).click();
	const state = await ended(page, /^Renew compositions · job/);
	check('the changes are taken over', state === 'succeeded', state);
	await page.goto(url);
	await page.getByText('What the last refresh did').waitFor();
	check('what was before and after stays in the history', await page.locator('.history .added').count() > 0);
	check('nothing waits to be taken over', await page.getByText('Take over the changes').count() === 0);
	await picture(page, 'node-history');
	await open(page);
	await page.getByText(`All ${all} nodes`).click();
	await page.getByText('Where hardware or firmware has changed').click();
	await page.getByRole('button', { name: `Renew composition of ${all} nodes` }).click();
	const end = await ended(page, /^Renew compositions · job/);
	check('all compositions are brought up to date', end === 'succeeded', end);
	check('those without a change say so', await page.getByText('Its composition has not changed.').count() > 0);
	await to(page, 'Nodes');
	const lines = await saved(page, page.getByRole('button', { name: 'Save the nodes as CSV' }));
	check('the CSV of nodes has the new columns', ['pages', 'pending', 'composition_changed_since'].every((c) => lines[0].split(',').includes(c)) && lines.length === all + 1);
}
