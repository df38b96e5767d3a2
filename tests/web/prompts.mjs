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

const nodeOf = (page, uuid) => until(async () => (await api(page, '/nodes')).some((n) => n.uuid === uuid), 30000);
const shown = (uuid) => until(() => displays().get(uuid));

async function lookAt(page, phone, digits) {
	const card = cardOf(page, digits.name);
	check('the prompt names the device and its room', (await card.textContent()).includes(digits.area));
	check('a number is asked for in words', (await card.textContent()).includes('shows a number of up to 5 digits: enter it'));
	const timer = card.getByRole('timer');
	const before = parseInt(await timer.getAttribute('aria-label'), 10);
	await until(async () => parseInt(await timer.getAttribute('aria-label'), 10) < before, 5000);
	check('its time counts down', before <= 120);
	await axe(page, 'prompts');
	await picture(page, 'prompts');
	await phone.goto(page.url());
	await cards(phone).first().waitFor();
	await noSideways(phone, 'Prompts on a phone');
	await picture(phone, 'phone-prompts');
}

// What cannot be an answer, then a wrong one.
async function answerWrongly(page, digits) {
	const card = cardOf(page, digits.name), field = card.getByLabel('Number');
	await field.fill('12345678901');
	await field.press('Enter');
	await card.getByRole('alert').waitFor();
	check('what cannot be an answer is refused at once, in place', true);
	const number = (await shown(digits.uuid)).value;
	await field.fill(String((Number(number) + 1) % 100000));
	await field.press('Enter');
	const again = page.locator('.feed li', { hasText: digits.name });
	await again.waitFor({ timeout: 30000 });
	check('a wrong number says that it did not match', /did not match/.test(await again.textContent()), await again.textContent());
	await axe(page, 'prompts, one to ask again');
	await picture(page, 'prompts-again');
}

async function giveUp(page, prompt) {
	await cardOf(page, prompt.name).getByRole('button', { name: 'Cancel' }).click();
	await until(async () => !(await api(page, '/oob')).some((p) => p.task === prompt.task), 10000);
}

async function enter(page, prompt) {
	await shown(prompt.uuid);
	press(prompt.uuid, prompt.value);
	await nodeOf(page, prompt.uuid);
}

// What is done at each of the six devices.
const ways = (phone) => ({
	'output-oob number': async (page, p) => {
		await lookAt(page, phone, p);
		await answerWrongly(page, p);
	},
	'output-oob text': async (page, p) => {
		const card = cardOf(page, p.name);
		check('a text is asked for in words', (await card.textContent()).includes('shows a text of up to 6 characters: enter it'));
		await card.getByLabel('Text').fill((await shown(p.uuid)).value.toLowerCase());
		await card.getByRole('button', { name: 'Answer' }).click();
		await nodeOf(page, p.uuid);
		check('a right text lets the device in', true);
	},
	'input-oob number': async (page, p) => {
		check('what to enter at the device is shown', (await cardOf(page, p.name).textContent()).includes(`Enter ${p.value} at the device.`));
		await picture(page, 'prompts-input');
		await enter(page, p);
		check('entered at the device, it is let in', true);
	},
	'input-oob push': async (page, p) => {
		check('how often to press is shown', /Press the button of the device (once|\d+ times)\./.test(await cardOf(page, p.name).textContent()));
		await enter(page, p);
		check('pressed so often, it is let in', true);
	},
	'output-oob blink': async (page, p) => {
		check('blinking is explained', (await cardOf(page, p.name).textContent()).includes('blinks a number of times'));
		await giveUp(page, p);
		check('a prompt can be given up', true);
	},
	'input-oob text': giveUp,
});

// One job, six devices, in the order in which their prompts come; gives the one to be asked again.
export async function sixWays(page, phone) {
	await start(page, 'Output OOB');
	const badge = page.getByRole('link', { name: /^Prompts, [1-9]\d* open/ });
	await badge.waitFor({ timeout: 60000 });
	check('a badge counts the open prompts', true);
	await badge.press('Enter');
	const todo = new Map(Object.entries(ways(phone)));
	let digits;
	while (todo.size > 0) {
		const kind = (p) => `${p.method} ${p.action}`;
		const one = await until(async () => (await api(page, '/oob')).find((p) => todo.has(kind(p))), 60000);
		await cardOf(page, one.name).waitFor();
		await todo.get(kind(one))(page, one);
		todo.delete(kind(one));
		if (kind(one) === 'output-oob number')
			digits = one;
	}
	return digits;
}

export async function askAgain(page, digits) {
	await page.locator('.feed li', { hasText: digits.name }).getByRole('button', { name: 'Ask again' }).click();
	await until(async () => (await api(page, '/oob')).some((p) => p.uuid === digits.uuid), 60000);
	const field = cardOf(page, digits.name).getByLabel('Number');
	await field.waitFor();
	await field.fill((await shown(digits.uuid)).value);
	await field.press('Enter');
	await nodeOf(page, digits.uuid);
	check('asked again, the right number lets it in', true);
	await page.goto(`${page.url().split('#')[0]}#/jobs/${digits.job}`);
	const yes = (d) => void d.accept();
	page.on('dialog', yes);
	const cancel = page.locator('article', { has: page.locator('h1') }).getByRole('button', { name: 'Cancel', exact: true });
	const chip = page.locator('h1 .chip', { hasText: /partial|cancelled/ });
	await cancel.or(chip).first().waitFor(); // those given up were asked again, too: if they still are, no more
	if (await cancel.count() > 0)
		await cancel.click({ timeout: 2000 }).catch(() => undefined);
	await chip.waitFor({ timeout: 60000 });
	page.off('dialog', yes);
	await page.getByRole('link', { name: 'Prompts, 0 open' }).waitFor();
	check('the badge is empty again', true);
}

export async function methods(page, digits) {
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
