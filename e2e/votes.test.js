import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comes, house, server } from './house.js';
import { phone } from './people.js';

house();

test('a vote by /vote: ballots of both, tallies on both, on the phone and on the wall', async () => {
	const [ann, bob, cat] = await Promise.all([comes('Ann'), comes('Bob'), comes('Cat', phone)]);
	for (const person of [ann, bob, cat]) await person.enters();
	await ann.says('/vote Tea or coffee? | Tea | Coffee ☕ | 都可以');
	for (const person of [ann, bob, cat]) await person.option('Tea').waitFor();
	const code = await bob.page.locator('.vote-card .code').last().textContent();

	const wall = await ann.context.newPage();
	await wall.goto(`${server.url}/v/${code}/present`);
	await wall.getByRole('heading', { name: 'Tea or coffee?' }).waitFor();
	assert.ok(await wall.locator('img.qr').evaluate((img) => img.decode().then(() => img.naturalWidth > 0)), 'the QR code is drawn');

	await ann.option('Tea').click();
	await bob.option('Coffee').click();
	for (const person of [ann, bob, cat]) {
		await person.counts('Tea', 1);
		await person.counts('Coffee', 1);
	}
	await cat.option('都可以').click();
	await bob.option('Tea').click(); // changes his mind
	for (const person of [ann, bob, cat]) {
		await person.counts('Tea', 2);
		await person.counts('Coffee', 0);
		await person.counts('都可以', 1);
	}
	await wall.locator('.wall-bars li', { hasText: 'Tea' }).locator('.wall-count', { hasText: /^2 / }).waitFor();

	// Space closes and opens; who is late is refused in the page.
	await wall.keyboard.press('Space');
	await wall.getByText('Closed', { exact: true }).first().waitFor();
	await bob.page.locator('.vote-card .ballot.locked').waitFor();
	await wall.keyboard.press('Space');
	await bob.page.locator('.vote-card .ballot:not(.locked)').waitFor();
	await Promise.all([ann.leaves(), bob.leaves(), cat.leaves()]);
});

test('results hidden until the owner reveals them with R', async () => {
	const dan = await comes('Dan').then((p) => p.enters());
	const eva = await comes('Eva').then((p) => p.enters());
	const cookie = (await dan.context.cookies()).find((c) => c.name === 'parley').value;
	const made = await fetch(`${server.url}/v1/votes`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${cookie}` },
		body: JSON.stringify({ question: 'Hidden?', options: ['Yes', 'No'], results: 'owner' }),
	}).then((r) => r.json());
	await eva.goes(`/v/${made.code}`);
	await eva.option('Yes').click();
	await eva.page.locator('.option[aria-checked="true"]', { hasText: 'Yes' }).waitFor();
	assert.equal(await eva.option('Yes').locator('.option-count').textContent(), '', 'no count is shown');
	await dan.goes(`/v/${made.code}/present`);
	await dan.page.getByRole('heading', { name: 'Hidden?' }).waitFor();
	await dan.page.keyboard.press('r');
	await eva.counts('Yes', 1);
	await dan.page.locator('.wall-bars li', { hasText: 'Yes' }).locator('.wall-count', { hasText: /^1 / }).waitFor();
	await Promise.all([dan.leaves(), eva.leaves()]);
});

test('a stranger with the link votes, by keyboard alone', async () => {
	const fox = await comes('Fox').then((p) => p.enters());
	await fox.says('/vote Keys? | A | B');
	// Its own card: the lobby has votes of the tests before it, and "A" is a part of "Tea".
	const code = await fox.page.locator('.vote-card', { hasText: 'Keys?' }).locator('.code').textContent();
	const ben = await comes('Ben', { path: `/v/${code.toLowerCase()}` });
	await ben.option('B').focus();
	await ben.page.keyboard.press('Enter');
	const name = ben.page.getByRole('dialog').getByRole('textbox');
	await name.fill('Ben');
	await name.press('Enter');
	await fox.counts('B', 1);
	await ben.counts('B', 1);
	await Promise.all([fox.leaves(), ben.leaves()]);
});

test('/transports draws the same vote four times, and counts what each costs', async () => {
	const gil = await comes('Gil', { path: '/transports' });
	await gil.page.locator('main .buttons button').first().click();
	const panels = gil.page.locator('.panel');
	await panels.nth(3).waitFor();
	assert.equal(await panels.count(), 4);
	for (const transport of ['websocket', 'sse', 'longpoll', 'poll']) {
		const panel = gil.page.locator(`.panel[data-transport="${transport}"]`);
		await panel.locator('.option-count', { hasText: /^1$/ }).waitFor();
		await panel.locator('.delay dd', { hasText: /\d/ }).waitFor();
		assert.match(await panel.locator('.numbers dd').nth(0).textContent(), /[1-9]/, `${transport}: requests`);
		assert.match(await panel.locator('.numbers dd').nth(1).textContent(), /[1-9]/, `${transport}: bytes`);
	}
	await gil.leaves();
});
