// Two servers on one Redis, and a browser at each.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, Person } from './people.js';
import { freePort, startServer } from './server.js';

let browser, redis, one, two;

/** A redis-server that keeps nothing. */
async function startRedis() {
	const dir = await mkdtemp(join(tmpdir(), 'parley-redis-'));
	const port = await freePort();
	const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''], { stdio: 'ignore' });
	const ended = new Promise((resolve) => child.once('exit', resolve));
	const listens = () =>
		new Promise((resolve) => {
			const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true))).once('error', () => resolve(false));
		});
	while (!(await listens())) {
		if (child.exitCode !== null) throw new Error('redis-server does not start');
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return {
		url: `redis://127.0.0.1:${port}`,
		close: async () => {
			child.kill('SIGKILL');
			await ended;
			await rm(dir, { recursive: true, force: true });
		},
	};
}

before(async () => {
	redis = await startRedis();
	[one, two] = await Promise.all([startServer('--engine', redis.url), startServer('--engine', redis.url)]);
	browser = await launch();
});
after(async () => {
	await browser?.close();
	await Promise.all([one?.close(), two?.close()]);
	await redis?.close();
});

for (const transport of ['WebSocket', 'SSE', 'Long poll', 'Poll']) {
	test(`people on two nodes talk and vote, the second by ${transport}`, async () => {
		const ann = await Person.comes(browser, one.url, `Ann ${transport}`);
		const bob = await Person.comes(browser, two.url, `Bob ${transport}`);
		await ann.enters();
		await bob.enters();
		await bob.forces(transport);
		await ann.says(`from one, ${transport}`);
		await bob.sees(`from one, ${transport}`);
		await bob.says(`from two, ${transport}`);
		await ann.sees(`from two, ${transport}`);
		await ann.says(`/vote Carried by ${transport}? | Yes | No`);
		const card = (person) => person.page.locator('.vote-card', { hasText: `Carried by ${transport}?` });
		await card(bob).locator('.option', { hasText: 'Yes' }).click();
		await card(ann).locator('.option', { hasText: 'No' }).click();
		for (const person of [ann, bob]) {
			for (const option of ['Yes', 'No']) await card(person).locator('.option', { hasText: option }).locator('.option-count', { hasText: /^1 / }).waitFor();
		}
		await Promise.all([ann.leaves(), bob.leaves()]);
	});
}

test('a node is killed and comes back: who was on it goes on, and has missed nothing', async () => {
	const ann = await Person.comes(browser, one.url, 'Anna');
	const bob = await Person.comes(browser, two.url, 'Bobby');
	await ann.enters();
	await bob.enters();
	await ann.says('before');
	await bob.sees('before');
	await two.kill();
	await ann.says('while two was away');
	await two.start();
	await bob.sees('while two was away');
	await bob.says('here again');
	await ann.sees('here again');
	await Promise.all([ann.leaves(), bob.leaves()]);
});
