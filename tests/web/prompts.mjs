// SPDX-License-Identifier: Apache-2.0
// Output and input OOB: a person stands at the devices, another one at this page.
import { axe, check, displays, noSideways, picture, press, saved, to, until } from './world.mjs';

const cards = (page) => page.locator('article.prompt');
const cardOf = (page, name) => page.getByRole('article', { name: new RegExp(`^${name}`) });

async function start(page, label) {
	await to(page, 'Provision');
	await page.getByText(label, { exact: true }).click();
	await page.getByRole('button', { name: 'Provision every trusted device' }).click();
}

async function api(page, path) {
	return page.evaluate(async (p) => (await (await fetch(`/api/v1${p}`)).json()).items, path);
}

const promptFor = (page, action) => until(async () => (await api(page, '/oob')).find((p) => p.action === action), 60000);
const nodeOf = (page, uuid) => until(async () => (await api(page, '/nodes')).some((n) => n.uuid === uuid), 30000);
const shown = (uuid) => until(() => displays().get(uuid));

export async function outputOob(page, phone) {
	await start(page, 'Output OOB');
	const digits = await promptFor(page, 'number'), text = await promptFor(page, 'text');
	const badge = page.getByRole('link', { name: /^Prompts, [1-9]\d* open/ });
	await badge.waitFor();
	check('a badge counts the open prompts', true);
	await badge.press('Enter');
	await cardOf(page, text.name).waitFor();
	check('the prompt names the device and its room', (await cardOf(page, digits.name).textContent()).includes(digits.area));
	check('a number is asked for in words', (await cardOf(page, digits.name).textContent()).includes('shows a number of up to 5 digits: enter it'));
	check('a text, too', (await cardOf(page, text.name).textContent()).includes('shows a text of up to 6 characters: enter it'));
	const timer = cardOf(page, text.name).getByRole('timer');
	const before = parseInt((await timer.getAttribute('aria-label')), 10);
	await until(async () => parseInt(await timer.getAttribute('aria-label'), 10) < before, 5000);
	check('its time counts down', before <= 120);
	await axe(page, 'prompts');
	await picture(page, 'prompts');
	await phone.goto(page.url());
	await cards(phone).first().waitFor();
	await noSideways(phone, 'Prompts on a phone');
	await picture(phone, 'phone-prompts');

	const field = cardOf(page, digits.name).getByLabel('Number');
	await field.fill('12345678901');
	await field.press('Enter');
	await cardOf(page, digits.name).getByRole('alert').waitFor();
	check('what cannot be an answer is refused at once, in place', true);
	const number = (await shown(digits.uuid)).value;
	await field.fill(String((Number(number) + 1) % 100000));
	await field.press('Enter');
	const again = page.locator('.feed li', { hasText: digits.name });
	await again.waitFor({ timeout: 30000 });
	check('a wrong number says that it did not match', /did not match/.test(await again.textContent()), await again.textContent());
	const value = (await shown(text.uuid)).value;
	await cardOf(page, text.name).getByLabel('Text').fill(value.toLowerCase());
	await cardOf(page, text.name).getByRole('button', { name: 'Answer' }).click();
	await nodeOf(page, text.uuid);
	check('a right text lets the device in', true);
	await picture(page, 'prompts-again');
	await again.getByRole('button', { name: 'Ask again' }).click();
	await promptFor(page, 'number');
	await field.waitFor();
	await field.fill((await shown(digits.uuid)).value);
	await field.press('Enter');
	await nodeOf(page, digits.uuid);
	check('asked again, the right number lets it in', true);
	return digits;
}

// The number of a blinking device is counted, not read; then the job is given up.
export async function blinking(page) {
	const blink = await promptFor(page, 'blink');
	const card = cardOf(page, blink.name);
	await card.waitFor();
	check('blinking is explained', (await card.textContent()).includes('blinks a number of times'));
	await card.getByRole('button', { name: 'Cancel' }).click();
	await until(async () => !(await api(page, '/oob')).some((p) => p.task === blink.task), 10000);
	check('a prompt can be given up', true);
	await over(page);
}

async function over(page) {
	await until(async () => (await api(page, '/jobs')).every((j) => j.ended_at), 60000);
}

export async function methods(page, digits) {
	await to(page, 'Jobs');
	await page.locator('article h2 a').first().click();
	await page.getByText('How they were authenticated, and why').waitFor();
	check('the job says how it authenticated', await page.locator('.reasons dt', { hasText: 'output OOB' }).count() > 0);
	await page.getByRole('button', { name: digits.name, exact: true }).click();
	const facts = page.locator('section', { has: page.getByText('Seconds by phase') });
	check('and a task why so', /output OOB\. \S+/.test(await facts.textContent()), await facts.textContent());
	const lines = await saved(page, page.getByRole('button', { name: 'Save the tasks as CSV' }));
	check('the CSV says both', lines[0].includes('method,method_reason') && lines.some((l) => l.includes('output-oob')));
	await axe(page, 'job, output OOB');
	await picture(page, 'job-oob');
}

export async function inputOob(page) {
	await start(page, 'Input OOB');
	const keypad = await promptFor(page, 'number'), button = await promptFor(page, 'push');
	await page.getByRole('link', { name: /^Prompts, / }).click();
	const card = cardOf(page, keypad.name);
	await card.waitFor();
	check('what to enter at the device is shown', (await card.textContent()).includes(`Enter ${keypad.value} at the device.`));
	check('how often to press is shown', /Press the button of the device (once|\d+ times)\./.test(await cardOf(page, button.name).textContent()));
	await axe(page, 'prompts, input');
	await picture(page, 'prompts-input');
	press(keypad.uuid, keypad.value);
	press(button.uuid, button.value);
	await nodeOf(page, keypad.uuid);
	await nodeOf(page, button.uuid);
	check('entered at the devices, both are let in', true);
	const keyboard = await promptFor(page, 'text');
	await cardOf(page, keyboard.name).getByRole('button', { name: 'Cancel' }).click();
	await over(page);
	await page.getByRole('link', { name: 'Prompts, 0 open' }).waitFor();
	check('the badge is empty again', true);
}
