// SPDX-License-Identifier: Apache-2.0
// The Scan page: which one is it, and what devices say of themselves.
import { axe, check, noSideways, picture, saved, to, until } from './world.mjs';

const heardRows = (page) => page.locator('tbody tr', { has: page.locator('.chip.heard') });

// One blinks at a time; its button counts.
export async function identify(page, phone) {
	await page.setViewportSize({ width: 1280, height: 1700 }); // all rows are in the document
	await to(page, 'Scan');
	await page.getByRole('button', { name: /^Found/ }).click();
	const [dead, one, two] = await page.evaluate(async () => {
		const items = async (path) => (await (await fetch(`/api/v1${path}`)).json()).items;
		const silent = (await items('/jobs/1/tasks')).find((t) => t.error?.code === 'link_open_failed').name;
		return [silent, ...(await items('/devices')).filter((d) => d.state === 'heard' && d.name !== silent).map((d) => d.name)];
	});
	const button = (name) => page.locator('tbody tr', { hasText: name }).getByRole('button');
	const a = button(one), b = button(two);
	await a.press('Enter');
	await until(async () => /^\d+ s$/.test(await a.textContent()), 20000);
	const first = parseInt(await a.textContent(), 10);
	check('the button of a device that blinks shows its seconds', first > 0 && first <= 15, `${first}`);
	await until(async () => parseInt(await a.textContent(), 10) < first, 8000);
	check('they count down', true);
	check('a screen reader hears them, too', /blinks, \d+ seconds left/.test(await a.getAttribute('aria-label')));
	await picture(page, 'scan-blinks');
	await b.click();
	await until(async () => (await a.textContent()) === 'Identify', 8000);
	check('identifying the next one stops the first', true);
	await until(async () => /^\d+ s$/.test(await b.textContent()), 20000);
	check('and the next one counts', true);
	await b.click();
	await until(async () => (await b.textContent()) === 'Identify', 8000);
	check('pressing it again stops it', true);
	const pressed = Date.now();
	await button(dead).click();
	await page.locator('p.warn', { hasText: dead }).waitFor();
	check('one that does not answer says so within 10 s', Date.now() - pressed < 10000, `${Date.now() - pressed} ms`);
	await picture(page, 'scan-silent');
	await page.setViewportSize({ width: 1280, height: 800 });
	await to(phone, 'Scan');
	await phone.getByRole('button', { name: /^Found/ }).click();
	const box = await phone.locator('tbody button.mini').first().boundingBox();
	check('on a phone the button is in reach of a thumb', box.x + box.width <= 360 && box.height >= 32 && box.width >= 44, JSON.stringify(box));
	await picture(phone, 'phone-scan');
	await noSideways(phone, 'Scan on a phone');
}

// Names and appearance come from the devices themselves.
export async function extendedScan(page) {
	await to(page, 'Scan');
	await page.getByRole('button', { name: /^Found/ }).click();
	await page.getByRole('button', { name: 'State' }).click();
	await heardRows(page).nth(0).getByRole('checkbox').click();
	await heardRows(page).nth(2).getByRole('checkbox').click({ modifiers: ['Shift'] });
	await page.getByRole('button', { name: 'Extended scan of 3' }).waitFor();
	await axe(page, 'scan, three chosen');
	await picture(page, 'scan-extended');
	await page.getByRole('button', { name: 'Extended scan of 3' }).click();
	await page.getByRole('heading', { name: /^Scan · job/ }).waitFor();
	await until(async () => await page.getByRole('heading', { name: /^Scan · job/ }).count() === 0, 60000);
	const lines = await saved(page, page.getByRole('button', { name: 'Save the devices as CSV' }));
	const column = lines[0].split(',').indexOf('scanned_at');
	const asked = lines.slice(1).filter((line) => line.split(',')[column]);
	check('each device that was chosen was asked', asked.length === 3, lines.join('\n'));
	await page.locator('.table').evaluate((t) => t.scrollTo(0, 0));
	const names = await heardRows(page).locator('td:nth-child(5)').allTextContents();
	check('a device says its name', names.some((n) => n !== '–'), names.join(' '));
	const looks = await heardRows(page).locator('td:nth-child(6)').allTextContents();
	check('and what it is', looks.some((n) => n !== '–'), looks.join(' '));
	await picture(page, 'scan-names');
}
