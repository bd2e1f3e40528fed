import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Api } from './api.js';
import { launch, Person, phone } from './people.js';
import { startServer } from './server.js';

let server, browser, owner;
before(async () => {
	server = await startServer('--rate-address', 'off', '--rate-ballot', 'off', '--rate-publish', 'off');
	browser = await launch();
	owner = await Api.guest(server.url, 'Olga');
});
after(async () => {
	await browser?.close();
	await server?.close();
});

const comes = (name, options) => Person.comes(browser, server.url, name, options);
const enters = async (name, options) => (await comes(name, options)).enters();
const cast = (person) => person.page.getByRole('button', { name: /^(Vote|Change my vote)$/ });

test('the deadline counts down, and closes the vote on the screen', async () => {
	const ann = await enters('Ann');
	const vote = await owner.ask({ question: 'Quick?', options: ['yes', 'no'], closes_in: 9 });
	await ann.goes(`/v/${vote.code}`);
	await ann.page.getByText(/^closes in 0:0\d$/).waitFor();
	await ann.option('yes').click();
	await ann.counts('yes', 1);
	await ann.page.getByText('Closed', { exact: true }).waitFor();
	await ann.page.locator('.ballot.locked').waitFor();
	await ann.option('no').click({ force: true });
	await ann.counts('yes', 1);
	await ann.leaves();
});

test('several choices, chosen first and then cast, and changed', async () => {
	const bob = await enters('Bob');
	const vote = await owner.ask({ question: 'Which two?', options: ['a', 'b', 'c'], min: 2, max: 2 });
	await bob.goes(`/v/${vote.code}`);
	const box = (name) => bob.page.getByRole('checkbox', { name: new RegExp(`^${name}`) });
	await box('a').click();
	assert.ok(await cast(bob).isDisabled(), 'one is too few');
	await box('b').click();
	await box('c').click();
	assert.ok(await cast(bob).isDisabled(), 'three are too many');
	await box('c').click();
	await cast(bob).click();
	await bob.counts('a', 1);
	await bob.counts('b', 1);
	await bob.counts('c', 0);
	await box('b').click();
	await box('c').click();
	await cast(bob).click();
	await bob.counts('b', 0);
	await bob.counts('c', 1);
	await bob.page.reload();
	await bob.page.locator('.option[aria-checked="true"]').nth(1).waitFor();
	assert.deepEqual(await bob.page.locator('.option[aria-checked="true"] .option-text').allTextContents(), ['a', 'c']);
	await bob.leaves();
});

test('a named vote says who, and one that is final cannot be changed', async () => {
	const cat = await enters('Cat');
	const named = await owner.ask({ question: 'Who comes?', options: ['I do', 'not me'], named: true });
	await owner.cast(named.code, [2]);
	await cat.goes(`/v/${named.code}`);
	await cat.option('not me').locator('.who', { hasText: 'Olga' }).waitFor();
	await cat.option('I do').click();
	await cat.option('I do').locator('.who', { hasText: 'Cat' }).waitFor();
	const final = await owner.ask({ question: 'Once?', options: ['yes', 'no'], change: false });
	await cat.goes(`/v/${final.code}`);
	await cat.page.getByText('This vote cannot be changed once cast.').waitFor();
	await cat.option('yes').click();
	await cast(cat).click();
	await cat.counts('yes', 1);
	await cat.page.locator('.ballot.locked').waitFor();
	await cat.page.getByText('Your vote is counted.', { exact: true }).waitFor();
	await cat.leaves();
});

test('results after voting: nothing before, everything after, and live from then on', async () => {
	const dan = await enters('Dan');
	const vote = await owner.ask({ question: 'Peek?', options: ['yes', 'no'], results: 'voted' });
	await owner.cast(vote.code, [1]);
	await dan.goes(`/v/${vote.code}`);
	await dan.page.getByText('The results appear once you have voted.').waitFor();
	assert.deepEqual(await dan.page.locator('.option-count').allTextContents(), ['', '']);
	await dan.option('no').click();
	await dan.counts('yes', 1);
	await dan.counts('no', 1);
	await owner.cast(vote.code, [2]);
	await dan.counts('no', 2);
	await dan.leaves();
});

test('made in the dialog, exported by its owner', async () => {
	const eva = await enters('Eva');
	await eva.page.locator('.sidebar').getByRole('button', { name: 'New vote' }).click();
	const dialog = eva.page.getByRole('dialog');
	await dialog.getByRole('textbox', { name: 'Question' }).fill('=1+1, "quoted"?');
	await dialog.getByRole('textbox', { name: 'Option' }).nth(0).fill('茶');
	await dialog.getByRole('textbox', { name: 'Option' }).nth(1).fill('咖啡');
	await dialog.getByRole('button', { name: 'Start the vote' }).click();
	await eva.page.getByRole('heading', { level: 1, name: '=1+1, "quoted"?' }).waitFor();
	await eva.option('茶').click();
	await eva.counts('茶', 1);
	for (const [kind, sign] of [['CSV', '"茶",1'], ['JSON', '"茶"']]) {
		const [download] = await Promise.all([eva.page.waitForEvent('download'), eva.page.getByRole('link', { name: kind }).click()]);
		assert.match(download.suggestedFilename(), new RegExp(`^vote-[A-Z0-9]{5}\\.${kind.toLowerCase()}$`));
		const content = await readFile(await download.path(), 'utf8');
		assert.ok(content.includes(sign), content);
	}
	await eva.leaves();
});

test('the link that is shared and the QR code lead to the vote, and a stranger needs no account', async () => {
	const fay = await enters('Fay', { permissions: ['clipboard-read', 'clipboard-write'] });
	const vote = await owner.ask({ question: 'Shared?', options: ['yes', 'no'] });
	await fay.goes(`/v/${vote.code}`);
	await fay.page.getByRole('button', { name: 'Copy' }).click();
	await fay.page.getByText('Copied').waitFor();
	const link = await fay.page.evaluate(() => navigator.clipboard.readText());
	assert.equal(link, `${server.url}/v/${vote.code}`);
	assert.match(await (await fetch(`${server.url}/v1/votes/${vote.code}/qr.svg`)).text(), /^<svg|^<\?xml/);
	const guest = await comes('nobody', { ...phone, path: new URL(link).pathname });
	await guest.option('yes').click();
	await guest.page.getByRole('dialog').getByRole('button', { name: 'Vote' }).click(); // without a name
	await fay.counts('yes', 1);
	await Promise.all([fay.leaves(), guest.leaves()]);
});

test('fifty options fit on the wall, and few fill it', async () => {
	for (const [count, viewport] of [[50, { width: 1280, height: 720 }], [50, { width: 1920, height: 1080 }], [24, { width: 1280, height: 720 }], [12, { width: 1024, height: 768 }], [2, { width: 1280, height: 720 }]]) {
		const vote = await owner.ask({ question: 'Which of all these would you like to see at the next meeting?', options: Array.from({ length: count }, (_, i) => `Option number ${i + 1}`) });
		const wall = await comes('wall', { viewport, path: `/v/${vote.code}/present` });
		await wall.page.locator('.wall-bars li').last().waitFor();
		await wall.page.locator('img.qr').evaluate((img) => img.decode());
		const beyond = await wall.page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
		assert.ok(beyond <= 0, `${count} options at ${viewport.width}×${viewport.height}: ${beyond} px too tall`);
		const clash = await wall.page.evaluate(() => document.querySelector('.wall-bars').scrollHeight - document.querySelector('.wall-bars').clientHeight);
		assert.ok(clash <= 0, `${count} options at ${viewport.width}×${viewport.height}: bars run ${clash} px into the foot`);
		await wall.leaves();
	}
});

test('the server restarts while a vote page and a wall are open', async () => {
	const own = await startServer();
	const gil = await Person.comes(browser, own.url, 'Gil').then((p) => p.enters());
	const vote = await (await Api.of(gil)).ask({ question: 'Still there?', options: ['yes', 'no'] });
	await gil.goes(`/v/${vote.code}`);
	await gil.transport('WebSocket');
	const wall = await Person.comes(browser, own.url, 'wall', { path: `/v/${vote.code}/present` });
	await wall.transport('WebSocket');
	await own.stop();
	await wall.page.locator('.badge:not([data-state="open"])').waitFor();
	await own.start();
	await gil.transport('WebSocket');
	await wall.transport('WebSocket');
	await gil.option('yes').click();
	await gil.counts('yes', 1);
	await wall.page.locator('.wall-bars li', { hasText: 'yes' }).locator('.wall-count', { hasText: /^1 / }).waitFor();
	await Promise.all([gil.leaves(), wall.leaves()]);
	await own.close();
});
