import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, comes, house, server } from './house.js';
import { Person, phone } from './people.js';
import { startServer } from './server.js';

house();

test('two people and a third on a phone talk in the lobby', async () => {
	const [ann, bob, cat] = await Promise.all([comes('Ann'), comes('Bob'), comes('Cat', phone)]);
	for (const person of [ann, bob, cat]) await person.enters();
	await ann.says('hello, everybody');
	for (const person of [bob, cat]) await person.sees('hello, everybody');
	await cat.says('你好 from the phone 📱');
	for (const person of [ann, bob]) await person.sees('你好 from the phone 📱');
	await bob.says('مرحبا بالجميع');
	for (const person of [ann, cat]) await person.sees('مرحبا بالجميع');
	// Each message is on each screen once.
	for (const person of [ann, bob, cat]) assert.equal(await person.log().getByText('hello, everybody', { exact: true }).count(), 1);
	await ann.page.getByText('Here now · 3').waitFor();
	await Promise.all([ann.leaves(), bob.leaves(), cat.leaves()]);
});

test('a direct message waits for one who is away and returns', async () => {
	const dora = await comes('Dora').then((p) => p.enters());
	const emil = await comes('Emil').then((p) => p.enters());
	const state = await emil.context.storageState();
	await emil.leaves();

	await dora.page.getByRole('button', { name: 'Find a person' }).click();
	await dora.page.getByRole('dialog').getByRole('combobox').or(dora.page.getByRole('dialog').getByRole('textbox')).fill('Emi');
	await dora.page.getByRole('dialog').getByText('Emil', { exact: true }).click();
	await dora.says('are you there?');
	await dora.sees('are you there?');

	const again = await comes('Emil', { storageState: state });
	const entry = again.page.locator('.list.direct a.entry', { hasText: 'Dora' });
	await entry.locator('.unread', { hasText: '1' }).waitFor();
	await entry.click();
	await again.sees('are you there?');
	await entry.locator('.unread').waitFor({ state: 'hidden' });
	await again.says('I am back');
	await dora.sees('I am back');
	await Promise.all([dora.leaves(), again.leaves()]);
});

test('a message is edited, and deleted', async () => {
	const fay = await comes('Fay').then((p) => p.enters());
	const gus = await comes('Gus').then((p) => p.enters());
	await fay.says('a mistkae');
	await gus.sees('a mistkae');
	await fay.sees('a mistkae');
	await fay.page.locator('.message.pending').waitFor({ state: 'detached' });
	await fay.composer().press('ArrowUp');
	await fay.composer().fill('a mistake');
	await fay.composer().press('Enter');
	await gus.page.locator('.message .text', { hasText: 'a mistake' }).waitFor();
	await fay.erases('a mistake');
	await gus.page.locator('.message .text', { hasText: 'a mistake' }).waitFor({ state: 'detached' });
	await Promise.all([fay.leaves(), gus.leaves()]);
});

test('scroll-back without end, and the line of what is new', async () => {
	const hal = await comes('Hal').then((p) => p.enters());
	const state = await hal.context.storageState();
	const token = state.cookies.find((c) => c.name === 'parley').value;
	await hal.leaves();
	const writer = await fetch(`${server.url}/v1/session`, { method: 'POST', body: 'Ida', headers: { 'Content-Type': 'text/plain' } }).then((r) => r.json());
	for (let i = 0; i < 180; i++) {
		const r = await fetch(`${server.url}/v1/channels/room:lobby/messages`, { method: 'POST', body: `line ${i}`, headers: { 'Content-Type': 'text/plain', Authorization: `Bearer ${i < 120 ? writer.token : token}` } });
		if (r.status === 429) {
			i--;
			await new Promise((resolve) => setTimeout(resolve, 300));
		} else assert.equal(r.status, 201);
	}
	const back = await comes('Hal', { storageState: state });
	await back.sees('line 179');
	await back.log().hover();
	for (let i = 0; i < 200 && (await back.page.getByText('line 3', { exact: true }).count()) === 0; i++) {
		await back.page.mouse.wheel(0, -3000);
		await back.page.waitForTimeout(50);
	}
	await back.page.getByText('line 3', { exact: true }).waitFor();
	for (const n of [3, 60, 119]) assert.ok((await back.page.getByText(`line ${n}`, { exact: true }).count()) <= 1, `line ${n} once`);
	await back.leaves();
});

test('the server is killed and comes back: nothing is lost and nothing is twice', async () => {
	const own = await startServer();
	const [jan, kim] = await Promise.all([Person.comes(browser, own.url, 'Jan'), Person.comes(browser, own.url, 'Kim')]);
	await jan.enters();
	await kim.enters();
	await jan.says('before');
	await kim.sees('before');
	await own.kill();
	await jan.says('while it was away');
	await jan.page.locator('.message.pending', { hasText: 'while it was away' }).waitFor();
	await own.start();
	await kim.sees('while it was away');
	await jan.page.locator('.message.pending').waitFor({ state: 'detached' });
	await kim.says('after');
	await jan.sees('after');
	for (const person of [jan, kim]) {
		for (const text of ['before', 'while it was away', 'after']) assert.equal(await person.log().getByText(text, { exact: true }).count(), 1, `${text} once on ${person.name}'s screen`);
	}
	await Promise.all([jan.leaves(), kim.leaves()]);
	await own.close();
});

test('too fast is told, with how long to wait', async () => {
	const own = await startServer('--rate-publish', '0.2/2');
	const lea = await Person.comes(browser, own.url, 'Lea');
	await lea.enters();
	for (const text of ['one', 'two', 'three', 'four']) await lea.says(text);
	await lea.page.getByText(/[Ww]ait \d+ s/).first().waitFor();
	await lea.leaves();
	await own.close();
});
