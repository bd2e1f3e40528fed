// The six classic programs in a real browser: their own pages, and pages as the tutorials have them, which know nothing but
// `new WebSocket` and the paths. PARLEY_SHOTS=1 takes the tutorial's pictures along the way.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './people.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const names = ['echo', 'groupchat', 'directchat', 'vote-poll', 'vote-longpoll', 'vote-websocket'];
const programs = {};
let folder, browser;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'parley-examples-'));
	execFileSync('go', ['build', '-o', folder, ...names.map((name) => `./examples/${name}`)], { cwd: root, stdio: 'inherit' });
	for (const name of names) {
		const child = spawn(join(folder, name), ['--addr', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
		const line = await new Promise((resolve) => createInterface(child.stdout).once('line', resolve));
		programs[name] = { child, url: line.replace('open ', '') };
	}
	browser = await launch();
});

after(async () => {
	await browser?.close();
	for (const { child } of Object.values(programs)) {
		child.kill();
		await new Promise((resolve) => child.once('exit', resolve));
	}
	await rm(folder, { recursive: true, force: true });
});

/** A page of somebody of their own; it fails the test when it logs an error, breaks its policy, or opens a dialog. */
async function visit(t, name, path = '/') {
	const context = await browser.newContext({ viewport: { width: 480, height: 440 }, deviceScaleFactor: 1 });
	const page = await context.newPage();
	page.setDefaultTimeout(20_000);
	const troubles = [];
	page.on('pageerror', (error) => troubles.push(error.stack));
	page.on('dialog', (dialog) => troubles.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
	page.on('console', (message) => {
		if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(message.text())) troubles.push(message.text());
	});
	await page.goto(programs[name].url + path);
	t.after(async () => {
		await context.close();
		assert.deepEqual(troubles, []);
	});
	return page;
}

async function picture(page, name) {
	if (process.env.PARLEY_SHOTS) await page.screenshot({ path: `${root}docs/images/classics-${name}.png` });
}

const line = (page, text) => page.locator('#log li', { hasText: text });
const shows = (page, uid, count) => page.locator(`#count-${uid}`, { hasText: new RegExp(`^${count}$`) }).waitFor();

test('echo: connect, send, close, and all that a WebSocket tells of itself', async (t) => {
	const page = await visit(t, 'echo');
	await page.getByText('readyState 3 (CLOSED)').waitFor();
	await page.getByRole('button', { name: 'Connect' }).click();
	await line(page, 'open').waitFor();
	await page.getByText('readyState 1 (OPEN)').waitFor();
	const text = page.getByRole('textbox');
	for (const said of ['Hello', '你好 🎉']) {
		await text.fill(said);
		await page.getByRole('button', { name: 'Send' }).click();
		await line(page, `message: ${said}`).waitFor();
	}
	await page.getByRole('button', { name: 'Close' }).click();
	await line(page, 'close: code 1000, reason "", clean: true').waitFor();
	await page.getByText('readyState 3 (CLOSED)').waitFor();
	await picture(page, 'echo');
});

test('echo: a page with nothing but new WebSocket', async (t) => {
	const page = await visit(t, 'echo');
	const story = await page.evaluate(
		() =>
			new Promise((resolve) => {
				const story = [];
				const socket = new WebSocket(`ws://${location.host}/`);
				story.push(socket.readyState);
				socket.onopen = () => {
					story.push('open', socket.readyState);
					socket.send('a'.repeat(70_000));
				};
				socket.onmessage = (event) => {
					story.push(event.data.length);
					socket.close(4321, 'that was all');
					story.push(socket.readyState);
				};
				socket.onerror = () => story.push('error');
				socket.onclose = (event) => resolve([...story, event.code, event.reason, event.wasClean, socket.readyState]);
			}),
	);
	// The reason goes to the server; what a page is told is the server's answer, which repeats the code alone.
	assert.deepEqual(story, [0, 'open', 1, 70_000, 2, 4321, '', true, 3]);
});

test("echo: the tutorial's own example says what the tutorial says", async (t) => {
	for (const file of ['from-polling-to-websocket.md', 'from-polling-to-websocket.zh-CN.md']) {
		const [, code] = /```js\n(.*?)```/s.exec(await readFile(`${root}docs/${file}`, 'utf8'));
		const page = await visit(t, 'echo');
		const said = await page.evaluate(
			(code) =>
				new Promise((resolve) => {
					const said = [];
					console.log = (...words) => said.push(words.join(' ')) && words[0] === 'close' && resolve(said);
					new Function(code)();
				}),
			code.replace('ws://127.0.0.1:9001', programs.echo.url.replace('http', 'ws')),
		);
		assert.deepEqual(said, ['state 0', 'open 1', 'message Hello', 'state 2', 'close 1000 true 3']);
	}
});

test('a WebSocket that cannot be opened: an error, and 1006', async (t) => {
	const page = await visit(t, 'groupchat');
	const story = await page.evaluate(
		() =>
			new Promise((resolve) => {
				const story = [];
				const socket = new WebSocket(`ws://${location.host}/nowhere`);
				socket.onerror = () => story.push('error');
				socket.onclose = (event) => resolve([...story, event.code, event.wasClean]);
			}),
	).catch((error) => error);
	assert.deepEqual(story, ['error', 1006, false]);
});

const attack = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

test('group chat: all the others hear it, and a script in a message is text', async (t) => {
	const pages = {};
	for (const name of ['Ann', 'Bob', '小梅', '']) {
		const page = await visit(t, 'groupchat');
		await page.getByRole('textbox', { name: 'Nickname' }).fill(name);
		await page.getByRole('button', { name: 'Enter' }).click();
		await page.getByText(name ? `You are ${name}.` : 'You are here without a name.').waitFor();
		pages[name || 'nobody'] = page;
	}
	const { Ann, Bob, 小梅, nobody } = pages;
	async function says(page, text) {
		await page.getByRole('textbox', { name: 'Message' }).fill(text);
		await page.getByRole('button', { name: 'Send' }).click();
	}
	await says(Ann, 'Shall we start?');
	for (const page of [Bob, 小梅]) await line(page, 'Ann: Shall we start?').waitFor();
	await says(小梅, '好的，开始吧');
	await line(Bob, '小梅: 好的，开始吧').waitFor();
	await says(Bob, attack);
	await line(Ann, `Bob: ${attack}`).waitFor();
	await line(小梅, `Bob: ${attack}`).waitFor();
	assert.equal(await Ann.locator('#log img, #log script').count(), 0);
	await says(nobody, 'anybody here?');
	assert.equal(await line(Ann, 'anybody here?').count(), 0);
	await picture(Ann, 'groupchat');

	// The same room, by a page that knows only the format.
	const heard = await nobody.evaluate(
		() =>
			new Promise((resolve) => {
				const one = new WebSocket(`ws://${location.host}/ws/one`);
				const two = new WebSocket(`ws://${location.host}/ws/two`);
				two.onmessage = (event) => resolve(JSON.parse(event.data));
				two.onopen = () => (one.readyState === 1 ? one.send('hi') : (one.onopen = () => one.send('hi')));
			}),
	);
	assert.deepEqual(heard, { sender: 'one', msg: 'hi' });
});

test('direct chat: the receiver alone, never the absent, never under another name', async (t) => {
	const pages = {};
	for (const name of ['Ann', 'Bob', 'Eve']) {
		const page = await visit(t, 'directchat');
		await page.getByRole('textbox', { name: 'Your name' }).fill(name);
		await page.getByRole('button', { name: 'Enter' }).click();
		await page.getByText(`You are ${name}.`).waitFor();
		pages[name] = page;
	}
	const { Ann, Bob, Eve } = pages;
	async function writes(page, to, text) {
		await page.getByRole('textbox', { name: 'To' }).fill(to);
		await page.getByRole('textbox', { name: 'Message' }).fill(text);
		await page.getByRole('button', { name: 'Send' }).click();
	}
	await writes(Ann, 'Bob', 'Lunch at twelve?');
	await line(Bob, 'Ann: Lunch at twelve?').waitFor();
	await Eve.getByRole('textbox', { name: 'Your name' }).fill('Ann'); // only in the field: she is still connected as Eve
	await writes(Eve, 'Bob', attack);
	await line(Bob, `Eve: ${attack}`).waitFor();
	await writes(Ann, 'Zoe', 'And you?');
	await line(Ann, 'Zoe is not here').waitFor();
	await writes(Bob, 'Ann', 'Twelve it is.');
	await line(Ann, 'Bob: Twelve it is.').waitFor();
	assert.equal(await Eve.locator('#log li').count(), 1);
	assert.equal(await Bob.locator('#log img, #log script').count(), 0);
	await picture(Ann, 'directchat');
	await Bob.reload();
	await writes(Ann, 'Bob', 'Gone?');
	await line(Ann, 'Bob is not here').waitFor();
});

test('vote by polling: the others see it when they load the page again', async (t) => {
	const [ann, bob] = [await visit(t, 'vote-poll'), await visit(t, 'vote-poll')];
	await ann.getByRole('button', { name: 'Coffee' }).click();
	await shows(ann, 2, 1);
	await shows(bob, 2, 1);
	await bob.evaluate(() => (window.stays = true));
	await bob.waitForFunction(() => !window.stays); // it was loaded again
	await picture(bob, 'vote-poll');
});

test('vote by long polling: the others see it at once, also after loading the page again', async (t) => {
	const [ann, bob] = [await visit(t, 'vote-longpoll'), await visit(t, 'vote-longpoll')];
	await ann.getByRole('button', { name: 'Tea' }).click();
	for (const page of [ann, bob]) await shows(page, 1, 1);
	for (let n = 2; n < 8; n++) {
		await bob.reload(); // in the middle of a long poll
		await ann.getByRole('button', { name: 'Tea' }).click();
		for (const page of [ann, bob]) await shows(page, 1, n);
	}
	await ann.getByRole('button', { name: 'Water' }).click();
	for (const page of [ann, bob]) await shows(page, 3, 1);
	await picture(bob, 'vote-longpoll');
});

test('vote by WebSocket: everybody, at once; a page that loses the server finds it again', async (t) => {
	const [ann, bob] = [await visit(t, 'vote-websocket'), await visit(t, 'vote-websocket')];
	for (const page of [ann, bob]) await page.getByText('Connected.').waitFor();
	await ann.getByRole('button', { name: 'Coffee' }).click();
	await bob.getByRole('button', { name: 'Coffee' }).click();
	await bob.getByRole('button', { name: 'Water' }).click();
	for (const page of [ann, bob]) {
		await shows(page, 2, 2);
		await shows(page, 3, 1);
	}
	await picture(bob, 'vote-websocket');
	const { child, url } = programs['vote-websocket'];
	child.kill();
	await new Promise((resolve) => child.once('exit', resolve));
	await bob.getByText('Connection closed (1001 the server is leaving); connecting again.').waitFor();
	const again = spawn(join(folder, 'vote-websocket'), ['--addr', url.replace('http://', '')], { stdio: ['ignore', 'pipe', 'ignore'] });
	programs['vote-websocket'].child = again;
	await bob.getByText('Connected.').waitFor();
	await shows(bob, 2, 0); // the votes were in its memory
});
