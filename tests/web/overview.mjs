// SPDX-License-Identifier: Apache-2.0
// The Overview page's recordings of the air, and signing in again.
import { statSync } from 'node:fs';
import { axe, check, picture, to } from './world.mjs';

export async function captures(page) {
	await to(page, 'Overview');
	await page.getByText('Recordings of the air').click();
	await page.getByLabel('Minutes').fill('1');
	await page.getByRole('button', { name: 'Start recording' }).click();
	const item = page.getByRole('list', { name: 'Recordings' }).getByRole('listitem').first();
	await item.getByRole('button', { name: 'Stop' }).waitFor();
	check('one recording at a time', await page.getByRole('button', { name: 'Start recording' }).isDisabled());
	await axe(page, 'overview, recording');
	await item.getByRole('button', { name: 'Stop' }).click();
	await item.getByRole('button', { name: 'Delete' }).waitFor();
	const [file] = await Promise.all([page.waitForEvent('download'), item.getByRole('link', { name: /^Download recording/ }).click()]);
	check('a recording is downloaded', file.suggestedFilename().endsWith('.btsnoop') && statSync(await file.path()).size >= 16, file.suggestedFilename());
	await picture(page, 'overview-recordings');
	page.once('dialog', (d) => void d.accept());
	await item.getByRole('button', { name: 'Delete' }).click();
	await item.waitFor({ state: 'detached' });
	check('and deleted, after a question', true);
}

export async function signInAgain(page) {
	await page.getByRole('button', { name: 'Sign out' }).click();
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
	await page.getByLabel('Name').fill('ada');
	await page.getByLabel('Password').fill('correct horse battery');
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.getByRole('link', { name: 'Overview' }).waitFor();
	check('signing out and in again by name and password', true);
}
