// SPDX-License-Identifier: Apache-2.0
// The Trust page: what a device would get, and lists of revoked certificates.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axe, check, data, noSideways, picture, saved, to } from './world.mjs';

const folder = join(data, 'maker');
const file = (name) => join(folder, name);
const uuid = '5a6f6f6d-0000-4000-8000-00000000c0de';
const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

// Another maker: its root, a device certificate, and two revocation lists, one after the other.
function makeMaker() {
	mkdirSync(folder);
	writeFileSync(file('ca.cnf'), `[ca]\ndefault_ca = maker\n[maker]\ndatabase = ${file('index.txt')}\ncrlnumber = ${file('crlnumber')}
default_md = sha256\n[req]\ndistinguished_name = dn\n[dn]\n[root]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign
[device]\nbasicConstraints = CA:FALSE\nkeyUsage = keyAgreement\n`);
	writeFileSync(file('index.txt'), '');
	writeFileSync(file('crlnumber'), '01\n');
	for (const name of ['root', 'device', 'other'])
		openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
	const root = (name) => openssl('req', '-new', '-x509', '-config', 'ca.cnf', '-extensions', 'root', '-key', `${name}.key`, '-subj', `/O=Maker ${name}/CN=Maker ${name}`,
		'-days', '3650', '-out', `${name}.pem`);
	root('root');
	root('other');
	openssl('req', '-new', '-config', 'ca.cnf', '-key', 'device.key', '-subj', `/O=Maker root/CN=${uuid} BCID:02e5 BPID:0001`, '-out', 'device.csr');
	openssl('x509', '-req', '-in', 'device.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-set_serial', '4711', '-days', '365', '-extfile', 'ca.cnf', '-extensions', 'device',
		'-out', 'device.pem');
	const crl = (name, days) => openssl('ca', '-config', 'ca.cnf', '-gencrl', '-keyfile', `${name}.key`, '-cert', `${name}.pem`, '-crldays', days, '-out', `${name}-${days}.crl`);
	crl('other', '30');
	openssl('ca', '-config', 'ca.cnf', '-revoke', 'device.pem', '-keyfile', 'root.key', '-cert', 'root.pem');
	crl('root', '30');
}

const card = (page) => page.locator('article', { hasText: 'Maker root' });

async function ask(page) {
	const form = page.locator('form', { has: page.getByRole('heading', { name: 'What would this device get?' }) });
	await form.getByRole('button', { name: 'Check' }).click();
	const verdict = page.locator('.verdict');
	await verdict.waitFor();
	return verdict.textContent();
}

export async function trustCheck(page) {
	makeMaker();
	await to(page, 'Trust');
	const good = await page.evaluate(async () => (await (await fetch('/api/v1/devices?limit=1000')).json()).items);
	const rejected = good.find((d) => d.trust.code === 'certificate_untrusted');
	await page.getByLabel('UUID or name').fill(rejected.name ?? rejected.uuid);
	const refused = await ask(page);
	check('a device that was refused would be refused again, with its code and what to do', /refused.*certificate_untrusted.*What to do/s.test(refused), refused);
	await page.getByText('A certificate', { exact: true }).click();
	await page.getByLabel('or the text of the certificate').fill(readFileSync(file('device.pem'), 'utf8'));
	await page.getByLabel('UUID or name of its device').fill('');
	const strange = await ask(page);
	check('a certificate of a maker without an anchor would be refused', /refused.*certificate_untrusted/s.test(strange), strange);
	await axe(page, 'trust, refused');
	await picture(page, 'trust-refused');
	await page.getByLabel('PEM file').setInputFiles(file('root.pem'));
	await page.getByRole('button', { name: 'Add' }).click();
	await card(page).waitFor();
	const trusted = await ask(page);
	check('with the anchor it would be let in', /^trusted/.test(trusted) && trusted.includes('Maker root'), trusted);
}

export async function revocation(page, phone) {
	await card(page).getByLabel('CRL file').setInputFiles(file('other-30.crl'));
	await card(page).locator('.warn').waitFor();
	const why = await card(page).locator('.warn').textContent();
	check('a list that another maker has signed is refused', /issuer/.test(why), why);
	await picture(page, 'trust-crl-refused');
	await card(page).getByLabel('CRL file').setInputFiles(file('root-30.crl'));
	await card(page).getByText('up to date').waitFor();
	check('the list of its own maker is taken', /Revoked1/.test(await card(page).locator('dl').nth(1).textContent()));
	const revoked = await ask(page);
	check('a revoked certificate would be refused', /refused.*certificate_revoked/s.test(revoked), revoked);
	const lines = await saved(page, page.getByRole('button', { name: 'Save the trust anchors as CSV' }));
	check('the CSV of anchors names the lists', lines.length === 3 && lines[0].includes('crl_next_update'));
	await axe(page, 'trust, CRL');
	await picture(page, 'trust-crl');
	await to(phone, 'Trust');
	await card(phone).waitFor();
	await noSideways(phone, 'Trust on a phone');
	await picture(phone, 'phone-trust');
	page.once('dialog', (d) => void d.accept());
	await card(page).getByRole('button', { name: 'Remove the CRL' }).click();
	await card(page).getByText('None: a certificate').waitFor();
	check('the list can be removed, after a question', true);
}
