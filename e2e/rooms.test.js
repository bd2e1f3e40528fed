import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from './api.js';
import { comes, house, server } from './house.js';
import { phone } from './people.js';

house('--rate-address', 'off');
const enters = async (name, options) => (await comes(name, options)).enters();
const title = (person, name) => person.page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const entry = (person, name) => person.page.locator('.sidebar a.entry', { hasText: name });
const gone = (locator) => locator.waitFor({ state: 'detached' });

async function makesRoom(person, name, secret) {
	await person.page.getByRole('button', { name: 'New room' }).click();
	const dialog = person.page.getByRole('dialog');
	await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
	if (secret) await dialog.getByRole('switch').check();
	await dialog.getByRole('button', { name: 'Create' }).click();
	await title(person, name);
}

async function leavesRoom(person, name) {
	await person.page.getByRole('button', { name: 'More about this room' }).click();
	await person.page.getByRole('menuitem', { name: 'Leave room' }).click();
	await person.page.getByRole('dialog').getByRole('button', { name: 'Leave room' }).click();
	await title(person, 'Lobby');
	await gone(entry(person, name));
	await gone(person.page.getByRole('dialog'));
}

test('a private room: made, invited to, talked in, left; and it disappears, in other tabs too', async () => {
	const ann = await enters('Ann');
	const bob = await enters('Bob');
	await makesRoom(ann, 'Secret', true);
	await ann.page.getByRole('button', { name: 'Invite people' }).click();
	const link = await ann.page.getByRole('dialog').getByRole('textbox').inputValue();
	await ann.page.keyboard.press('Escape');
	await bob.page.goto(link);
	await title(bob, 'Secret');
	await ann.says('only us');
	await bob.sees('only us');
	await bob.says('indeed');
	await ann.sees('indeed');

	const tab = await bob.anotherTab('/');
	await entry(tab, 'Secret').click();
	await tab.sees('indeed');
	await bob.page.bringToFront(); // a tab behind another is drawn seldom, and would be pressed slowly
	await leavesRoom(bob, 'Secret');
	await gone(entry(tab, 'Secret'));
	await title(tab, 'Lobby');
	// Nobody learns anything of it any more, by its address neither.
	await bob.goes(new URL(link).pathname);
	await bob.page.getByText('There is no such room, or it is private').waitFor();
	await ann.says('alone now');
	await leavesRoom(ann, 'Secret');
	await Promise.all([ann.leaves(), bob.leaves()]);
});

test('a room is deleted while somebody is in it', async () => {
	const cora = await enters('Cora');
	const dave = await enters('Dave');
	await makesRoom(cora, 'Short-lived');
	await dave.goes(new URL(cora.page.url()).pathname);
	await dave.says('anybody?');
	await cora.sees('anybody?');
	await dave.composer().fill('half a sentence');
	await cora.page.getByRole('button', { name: 'More about this room' }).click();
	await cora.page.getByRole('menuitem', { name: 'Room settings' }).click();
	await cora.page.getByRole('dialog').getByRole('button', { name: 'Delete room' }).click();
	await cora.page.getByRole('dialog').filter({ hasText: 'for everyone' }).getByRole('button', { name: 'Delete room' }).click();
	await dave.page.getByText('This conversation was deleted.').waitFor();
	for (const person of [cora, dave]) {
		await title(person, 'Lobby');
		await gone(entry(person, 'Short-lived'));
	}
	await dave.says('what was that?');
	await cora.sees('what was that?');
	await Promise.all([cora.leaves(), dave.leaves()]);
});

test('two rooms: what is unread, the line of what is new, back and forward', async () => {
	const eli = await enters('Eli');
	await makesRoom(eli, 'Garden');
	await eli.says('mine');
	await eli.sees('mine');
	await eli.page.locator('.message.pending').waitFor({ state: 'detached' });
	await entry(eli, 'Lobby').click();
	await title(eli, 'Lobby');
	const fox = await Api.guest(server.url, 'Fox');
	for (const text of ['one', 'two', 'three']) await fox.say('room:garden', text);
	await entry(eli, 'Garden').locator('.unread', { hasText: /^3$/ }).waitFor();
	await eli.page.waitForFunction(() => document.title.startsWith('(3) '));
	await entry(eli, 'Garden').click();
	await eli.sees('three');
	await entry(eli, 'Garden').locator('.unread').waitFor({ state: 'hidden' });
	const order = await eli.page.locator('.messages > .new-line, .messages .text').allTextContents();
	assert.deepEqual(order, ['mine', 'New', 'one', 'two', 'three']);
	await eli.page.waitForFunction(() => !document.title.startsWith('('));
	await eli.page.goBack();
	await title(eli, 'Lobby');
	await eli.page.goForward();
	await title(eli, 'Garden');
	await eli.sees('three');
	assert.equal(await eli.page.locator('.new-line').count(), 0, 'what was seen is not new any more');
	await eli.leaves();
});

test('a second tab of the same person stays in step', async () => {
	const gia = await enters('Gia');
	const hans = await Api.guest(server.url, 'Hans');
	await makesRoom(gia, 'Mirror');
	const tab = await gia.anotherTab('/r/lobby');
	await gia.says('said once');
	await entry(tab, 'Mirror').click();
	await tab.sees('said once');
	await tab.says('and by the other tab');
	await gia.sees('and by the other tab');
	for (const page of [gia, tab]) {
		await page.page.locator('.message.pending').waitFor({ state: 'detached' });
		for (const text of ['said once', 'and by the other tab']) assert.equal(await page.log().getByText(text, { exact: true }).count(), 1);
	}
	await entry(tab, 'Lobby').click();
	await title(tab, 'Lobby');
	await gia.page.bringToFront();
	await entry(gia, 'Lobby').click();
	await title(gia, 'Lobby');
	await hans.say('room:mirror', 'hello both');
	for (const page of [gia, tab]) await entry(page, 'Mirror').locator('.unread', { hasText: /^1$/ }).waitFor();
	await entry(gia, 'Mirror').click();
	await gia.sees('hello both');
	for (const page of [gia, tab]) await entry(page, 'Mirror').locator('.unread').waitFor({ state: 'hidden' });
	await gia.leaves();
});

test('who types, who is here, and who has closed the tab', async () => {
	const [ida, jon] = [await enters('Ida'), await enters('Jon')];
	await makesRoom(ida, 'Quiet');
	await jon.goes('/r/quiet');
	await ida.page.getByText('Here now · 2').waitFor();
	await jon.composer().pressSequentially('hm');
	await ida.page.getByText('Jon is typing…').waitFor();
	await jon.composer().press('Enter');
	await ida.sees('hm');
	await ida.page.getByText('Jon is typing…').waitFor({ state: 'hidden' });
	await jon.leaves();
	await ida.page.getByText('Here now · 1').waitFor({ timeout: 30_000 });
	await ida.page.getByText('Away · 1').waitFor();
	await ida.leaves();
});

test('on a phone one column at a time, and the back button walks through them', async () => {
	const kim = await comes('Kim', phone);
	await kim.enters();
	await kim.page.getByRole('link', { name: 'Back to the list' }).click();
	await entry(kim, 'Lobby').waitFor();
	await kim.composer().waitFor({ state: 'hidden' });
	await entry(kim, 'Lobby').click();
	await kim.composer().waitFor();
	await kim.page.locator('.people-button').click();
	await kim.page.getByText(/^Here now/).waitFor();
	await kim.composer().waitFor({ state: 'hidden' });
	await kim.page.goBack();
	await kim.composer().waitFor();
	await kim.page.goBack();
	await entry(kim, 'Lobby').waitFor();
	await kim.composer().waitFor({ state: 'hidden' });
	assert.equal(await kim.page.evaluate(() => document.documentElement.scrollWidth), 390, 'nothing is wider than the screen');
	await kim.leaves();
});

test('a forced transport holds for its tab, also after a reload', async () => {
	const lou = await enters('Lou');
	await lou.forces('Long poll');
	await lou.page.reload();
	await lou.transport('Long poll');
	await lou.says('still here');
	await lou.sees('still here');
	const tab = await lou.anotherTab('/r/lobby');
	await tab.transport('WebSocket');
	await lou.leaves();
});
