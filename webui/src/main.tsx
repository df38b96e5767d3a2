// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import { connected, notice, prompts, session, start, status, stop, tell } from './store';
import { route } from './router';
import { del } from './api';
import { SignIn, Setup } from './pages/signin';
import { Overview } from './pages/overview';
import { Scan } from './pages/scan';
import { Provision } from './pages/provision';
import { Nodes } from './pages/nodes';
import { NodePage } from './pages/node';
import { Jobs, JobPage } from './pages/jobs';
import { Prompts } from './pages/prompts';
import { Trust } from './pages/trust';

const pages = [
	{ path: '', name: 'Overview', icon: '◉' },
	{ path: 'scan', name: 'Scan', icon: '⌁' },
	{ path: 'provision', name: 'Provision', icon: '⊕' },
	{ path: 'nodes', name: 'Nodes', icon: '⬡' },
	{ path: 'jobs', name: 'Jobs', icon: '≡' },
	{ path: 'trust', name: 'Trust', icon: '✓' },
];

function Page() {
	const [page, id] = route.value;
	switch (page ?? '') {
	case '': return <Overview />;
	case 'scan': return <Scan />;
	case 'provision': return <Provision />;
	case 'nodes': return id ? <NodePage address={id} /> : <Nodes />;
	case 'jobs': return id ? <JobPage id={Number(id)} /> : <Jobs />;
	case 'prompts': return <Prompts />;
	case 'trust': return <Trust />;
	default: return <p>There is no page “{page}”. <a href="#/">To the overview</a></p>;
	}
}

function Notice() {
	return notice.value && (
		<div class="notice" role="alert">
			<span>{notice.value}</span>
			<button class="plain" onClick={() => (notice.value = null)} aria-label="Close this message">✕</button>
		</div>
	);
}

// Beside the pages, and on a phone at the top: how many devices wait for a person.
function Badge({ here }: { here: boolean }) {
	const n = prompts.value.size;
	return (
		<>
			<a class={`badge ${n > 0 ? 'open' : ''}`} href="#/prompts" aria-current={here ? 'page' : undefined} aria-label={`Prompts, ${n} open`}>
				Prompts <b>{n}</b>
			</a>
			<span class="unseen" role="status">{n > 0 ? `${n} ${n === 1 ? 'device waits' : 'devices wait'} for you` : ''}</span>
		</>
	);
}

async function signOut() {
	try {
		await del('/session');
		stop();
	} catch (error) {
		tell(error);
	}
}

function App() {
	if (session.value === undefined)
		return <main class="center"><Notice /><p>Loading…</p></main>;
	if (session.value === null)
		return <main class="center"><Notice /><SignIn /></main>;
	if (session.value.setup_needed && !status.value)
		return <main class="center"><Notice /><Setup /></main>;
	const here = route.value[0] ?? '';
	return (
		<>
			<header>
				<a class="brand" href="#/" aria-label="Meshmason"><img src="/icon.svg" alt="" width="26" height="26" /> <span>Meshmason</span></a>
				<nav aria-label="Pages">
					{pages.map((p) => (
						<a key={p.path} href={`#/${p.path}`} aria-current={here === p.path ? 'page' : undefined}>
							<span class="icon" aria-hidden="true">{p.icon}</span>{p.name}
						</a>
					))}
				</nav>
				<span class="where">
					<Badge here={here === 'prompts'} />
					<span class={`dot ${connected.value ? 'on' : 'off'}`} role="status" aria-label={connected.value ? 'Live' : 'Not connected'} />
					<button class="plain" onClick={signOut}>Sign out</button>
				</span>
			</header>
			<main><Notice /><Page /></main>
		</>
	);
}

render(<App />, document.getElementById('app')!);
void start();
