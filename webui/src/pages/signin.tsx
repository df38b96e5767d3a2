// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'preact/hooks';
import { post } from '../api';
import { replace } from '../router';
import { session, start, tell } from '../store';
import { Act } from '../ui';

// The one-time link of the first start ends in "#link=...": the part behind # never leaves the browser.
function linkFromAddress(): string | null {
	return /^#\/?link=(.+)$/.exec(location.hash)?.[1] ?? null;
}

export function SignIn() {
	const [name, setName] = useState('');
	const [password, setPassword] = useState('');
	const [link, setLink] = useState(linkFromAddress());
	useEffect(() => {
		if (link)
			void post('/session', { link }).then(() => {
				replace('/');
				return start();
			}).catch((error) => {
				tell(error);
				setLink(null);
			});
	}, []);
	const enter = async () => {
		await post('/session', { name, password });
		await start();
	};
	if (link)
		return <p>Signing in…</p>;
	return (
		<form class="card narrow" onSubmit={(e) => e.preventDefault()}>
			<h1>Sign in</h1>
			<label>Name<input autocomplete="username" value={name} onInput={(e) => setName(e.currentTarget.value)} /></label>
			<label>Password<input type="password" autocomplete="current-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>
			<Act run={enter} kind="main" disabled={!name || !password}>Sign in</Act>
			<p class="small">At the first start the server prints a one-time link in its terminal or log. Open that link to set the first password.</p>
		</form>
	);
}

export function Setup() {
	const [name, setName] = useState('');
	const [password, setPassword] = useState('');
	const [again, setAgain] = useState('');
	const short = password.length < 12;
	const differ = password !== again;
	const save = async () => {
		await post('/setup', { name, password });
		await start();
		if (session.value)
			session.value = { ...session.value, setup_needed: false };
	};
	return (
		<form class="card narrow" onSubmit={(e) => e.preventDefault()}>
			<h1>Make this gateway yours</h1>
			<p>Choose the name and password of the first administrator. There is no default password.</p>
			<label>Name<input name="name" autocomplete="username" value={name} onInput={(e) => setName(e.currentTarget.value)} /></label>
			<label>Password, 12 characters or more<input name="password" type="password" autocomplete="new-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>
			<label>The same again<input name="again" type="password" autocomplete="new-password" value={again} onInput={(e) => setAgain(e.currentTarget.value)} /></label>
			<p class="small" role="status">{password && short ? `${12 - password.length} more characters` : again && differ ? 'The two differ' : ' '}</p>
			<Act run={save} kind="main" disabled={!name || short || differ}>Save and go on</Act>
		</form>
	);
}
