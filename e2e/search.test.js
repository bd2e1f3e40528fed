import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from './api.js';
import { browser, comes, house, server } from './house.js';
import { Person } from './people.js';

house('--rate-publish', 'off', '--rate-address', 'off', '--rate-search', 'off');

/** The dialog, its field and what it found. */
const dialog = (p) => p.page.getByRole('dialog');
const field = (p) => dialog(p).getByRole('combobox', { name: 'Search messages' });
const results = (p) => dialog(p).getByRole('option');

test('words of any script are found in this room and in all, and shown where they were said', async () => {
	const olga = await Api.guest(server.url, 'Olga');
	const ann = await comes('Ann').then((p) => p.enters());
	await olga.say('room:lobby', '请大家投票吧');
	await olga.say('room:lobby', 'Hello <b>everybody</b> 🎉');
	await ann.sees('Hello <b>everybody</b> 🎉');

	await ann.page.getByRole('button', { name: 'Search messages' }).click();
	await field(ann).fill('投票');
	await results(ann).first().waitFor();
	assert.deepEqual(await results(ann).locator('mark').allTextContents(), ['投票']);
	await field(ann).fill('hel 🎉');
	await results(ann).locator('mark', { hasText: 'Hel' }).waitFor();
	assert.equal(await results(ann).locator('.found-text').textContent(), 'Hello <b>everybody</b> 🎉');
	assert.equal(await results(ann).locator('.found-text b').count(), 0, 'what people wrote is text');
	await field(ann).fill('no such thing');
	await dialog(ann).getByText('No message has all these words.').waitFor();
	await field(ann).fill('?!');
	await dialog(ann).getByText('There is no word in this to search for.').waitFor();
	await ann.page.keyboard.press('Escape');
	await dialog(ann).waitFor({ state: 'detached' });

	// In another room the lobby's messages are found where one looks everywhere.
	const den = await olga.call('POST', '/v1/rooms', { name: 'Den' });
	await ann.page.goto(`${server.url}/r/${den.id}`);
	await ann.page.getByRole('heading', { level: 1, name: 'Den' }).waitFor();
	await ann.page.getByRole('heading', { level: 1, name: 'Den' }).focus();
	await ann.page.keyboard.press('/');
	await field(ann).fill('hello');
	await dialog(ann).getByText('No message has all these words.').waitFor();
	await dialog(ann).getByRole('switch', { name: 'Only in Den' }).uncheck();
	await results(ann).first().waitFor();
	await field(ann).press('ArrowDown');
	await field(ann).press('Enter');
	await ann.page.getByRole('heading', { level: 1, name: 'Lobby' }).waitFor();
	await ann.page.locator('.message.sought', { hasText: 'Hello <b>everybody</b>' }).waitFor();
	assert.match(new URL(ann.page.url()).hash, /^#m=\d+$/);
	await ann.leaves();
});

test('from Ctrl+K on to messages, and a conversation of two', async () => {
	const olga = await Api.guest(server.url, 'Olga Two');
	const bea = await comes('Bea').then((p) => p.enters());
	await bea.transport('WebSocket'); // she hears of new conversations
	const { channel } = await olga.call('GET', '/v1/direct/Bea');
	await olga.say(channel, 'the umbrella is here');
	await bea.page.locator('.list.direct a.entry', { hasText: 'Olga Two' }).waitFor();
	await bea.page.keyboard.press('Control+k');
	await dialog(bea).getByRole('combobox').fill('umbrella');
	await dialog(bea).getByRole('option', { name: 'umbrella' }).waitFor();
	await bea.page.keyboard.press('Enter');
	await results(bea).locator('mark', { hasText: 'umbrella' }).waitFor();
	await results(bea).first().click();
	await bea.page.getByRole('heading', { level: 1, name: 'Olga Two' }).waitFor();
	await bea.page.locator('.message.sought', { hasText: 'the umbrella is here' }).waitFor();
	await bea.leaves();
});

test('a message far back is shown with what was around it, and from there one comes back to the newest', async () => {
	const olga = await Api.guest(server.url, 'Olga Three');
	const attic = await olga.call('POST', '/v1/rooms', { name: 'Attic' });
	const channel = attic.channel;
	for (let from = 0; from < 600; from += 100) {
		const messages = Array.from({ length: 100 }, (_, i) => ({ type: 'text', data: { text: from + i === 150 ? 'the needle of line 150' : `line ${from + i}` }, id: `k${from + i}` }));
		await olga.call('POST', `/v1/channels/${channel}/messages`, { messages });
	}
	const cyd = await comes('Cyd').then((p) => p.enters());
	await cyd.goes('/r/attic');
	await cyd.sees('line 599');
	await cyd.page.getByRole('button', { name: 'Search messages' }).click();
	await field(cyd).fill('needle');
	await results(cyd).first().click();
	const needle = cyd.page.locator('.message.sought', { hasText: 'the needle of line 150' });
	await needle.waitFor();
	assert.ok(await needle.evaluate((el) => el === document.activeElement), 'the message has the focus');
	await cyd.sees('line 149');
	await cyd.sees('line 160');
	assert.equal(await cyd.log().getByText('line 599', { exact: true }).count(), 0);

	// What is said meanwhile is told, and does not stand among the old.
	await olga.say(channel, 'a new line');
	await cyd.page.locator('.to-newest', { hasText: '1 new message' }).waitFor();
	assert.equal(await cyd.log().getByText('a new line', { exact: true }).count(), 0);

	// Down and up from there: each line once, in order, without end.
	await cyd.log().hover();
	for (const [line, by] of [[400, 2500], [20, -2500]]) {
		for (let i = 0; i < 300 && (await cyd.log().getByText(`line ${line}`, { exact: true }).count()) === 0; i++) {
			await cyd.page.mouse.wheel(0, by);
			await cyd.page.waitForTimeout(30);
		}
		await cyd.log().getByText(`line ${line}`, { exact: true }).waitFor();
	}
	const seen = (await cyd.log().locator('.message .text').allTextContents()).map((text) => Number(/line (\d+)/.exec(text)?.[1] ?? 600));
	assert.deepEqual(seen, Array.from({ length: seen.length }, (_, i) => seen[0] + i));
	await cyd.page.locator('.to-newest').click();
	await cyd.sees('a new line');
	await cyd.page.locator('.to-newest').waitFor({ state: 'hidden' });
	await cyd.says('I am back');
	await cyd.sees('I am back');

	// The address leads to the message again.
	const again = await cyd.anotherTab('/r/attic#m=151');
	await again.page.locator('.message.sought', { hasText: 'the needle of line 150' }).waitFor();
	const gone = await cyd.anotherTab('/r/attic#m=99999');
	await gone.page.getByText('This message does not exist any more.').waitFor();
	await cyd.leaves();
});

test('in Chinese, on a phone', async () => {
	const olga = await Api.guest(server.url, 'Olga Four');
	await olga.say('room:lobby', '明天下午开会');
	const dan = await Person.comes(browser, server.url, 'Dan', { locale: 'zh-CN', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, path: '/r/lobby' });
	await dan.page.getByRole('textbox').first().fill('小丹');
	await dan.page.keyboard.press('Enter');
	await dan.page.getByText('明天下午开会').first().waitFor();
	await dan.page.getByRole('button', { name: '搜索消息' }).click();
	await dan.page.getByRole('dialog').getByRole('combobox').fill('下午');
	const option = dan.page.getByRole('dialog').getByRole('option', { name: '明天下午开会' });
	await option.locator('mark', { hasText: '下午' }).waitFor();
	await option.click();
	await dan.page.locator('.message.sought', { hasText: '明天下午开会' }).waitFor();
	await dan.leaves();
});
