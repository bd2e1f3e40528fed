import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from './api.js';
import { comes, house, server } from './house.js';
import { phone } from './people.js';

house('--rate-address', 'off', '--rate-publish', 'off');
const enters = async (name, options) => (await comes(name, options)).enters();
const texts = (person) => person.page.locator('.messages .text').allTextContents();

test('a name that is taken, and one that cannot be, in both languages', async () => {
	await Api.guest(server.url, 'Ann');
	for (const [locale, taken, bad] of [
		['en-US', 'Someone has this name already. Please choose another.', 'This name cannot be used.'],
		['zh-CN', '这个名字已有人使用，请换一个。', '这个名字不能用。'],
	]) {
		const who = await comes('ann', { locale });
		const name = who.page.getByRole('textbox');
		await name.fill('ann'); // in other letters it is the same name
		await name.press('Enter');
		await who.page.getByRole('alert').filter({ hasText: taken }).waitFor();
		await name.fill('a\u2028b');
		await name.press('Enter');
		await who.page.getByRole('alert').filter({ hasText: bad }).waitFor();
		await name.fill(`ann ${locale}`);
		await name.press('Enter');
		await who.page.locator('.composer textarea').waitFor();
		await who.leaves();
	}
});

test('Enter that chooses a word of an input method does not send', async () => {
	const mei = await enters('Mei');
	await mei.composer().focus();
	const keyboard = await mei.context.newCDPSession(mei.page);
	await keyboard.send('Input.imeSetComposition', { text: 'nihao', selectionStart: 5, selectionEnd: 5 });
	await keyboard.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Process', code: 'Enter', windowsVirtualKeyCode: 229 });
	await keyboard.send('Input.insertText', { text: '你好' });
	assert.equal(await mei.composer().inputValue(), '你好');
	// What Safari does: the composition has ended, and the Enter that ended it comes after.
	await mei.composer().evaluate((field) => field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true })));
	await mei.composer().evaluate((field) => field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })));
	assert.equal(await mei.composer().inputValue(), '你好');
	await mei.page.keyboard.press('Enter');
	await mei.sees('你好');
	assert.deepEqual((await texts(mei)).filter((text) => text === '你好'), ['你好']);
	await mei.leaves();
});

test('4,000 characters and not one more', async () => {
	const nia = await enters('Nia');
	await nia.composer().fill('字'.repeat(3_999) + '😀x');
	await nia.page.getByText('-1', { exact: true }).waitFor();
	assert.ok(await nia.page.getByRole('button', { name: 'Send' }).isDisabled());
	await nia.composer().press('Enter');
	assert.equal((await nia.composer().inputValue()).length, 4_002);
	await nia.composer().press('Backspace');
	await nia.composer().press('Enter');
	await nia.page.locator('.message .text', { hasText: /^字{3999}😀$/ }).waitFor();
	await nia.page.locator('.message.pending').waitFor({ state: 'detached' });
	assert.equal(await nia.page.locator('.message.failed').count(), 0);
	await nia.leaves();
});

test('commands: a vote without options asks for them, an unknown one is told, two slashes are a text', async () => {
	const oli = await enters('Oli');
	await oli.says('/vote Only one? | yes');
	const dialog = oli.page.getByRole('dialog');
	await dialog.waitFor();
	assert.equal(await dialog.getByRole('textbox', { name: 'Question' }).inputValue(), 'Only one?');
	assert.equal(await dialog.getByRole('textbox', { name: 'Option' }).first().inputValue(), 'yes', 'what was typed is not lost');
	await dialog.getByRole('textbox', { name: 'Option' }).nth(1).fill('yes');
	await dialog.getByRole('button', { name: 'Start the vote' }).click();
	await dialog.getByText('Two options are the same.').waitFor();
	await dialog.getByRole('textbox', { name: 'Option' }).nth(1).fill('no');
	await dialog.getByRole('button', { name: 'Start the vote' }).click();
	await oli.option('no').waitFor();
	await oli.says('/vote Twice? | a | a');
	await oli.page.getByText('Two options are the same.').or(oli.page.getByText('The choice does not fit this vote.')).waitFor();
	assert.equal(await oli.composer().inputValue(), '/vote Twice? | a | a', 'it can be corrected');
	await oli.says('/nonsense');
	await oli.page.getByText('There is no command /nonsense.').waitFor();
	await oli.says('//usr/bin');
	await oli.sees('/usr/bin');
	await oli.leaves();
});

test('long words, addresses and names, and text from right to left, stay inside the page', async () => {
	const long = await enters('W'.repeat(32));
	const small = await comes('Small', phone);
	await small.enters();
	await long.says('x'.repeat(500));
	await long.says(`https://example.com/${'path/'.repeat(60)}?q=${'y'.repeat(200)}`);
	await long.says('مرحبا بالجميع، هذا نص عربي');
	await long.says(`/vote ${'Q'.repeat(120)} | ${'A'.repeat(100)} | b`);
	await small.sees('مرحبا بالجميع، هذا نص عربي');
	await small.option('b').waitFor();
	for (const person of [long, small]) {
		const wide = await person.page.evaluate(() => {
			const box = document.querySelector('.scroller');
			return [document.documentElement.scrollWidth - innerWidth, box.scrollWidth - box.clientWidth];
		});
		assert.deepEqual(wide, [0, 0], `${person.name}: nothing to scroll sideways`);
	}
	const arabic = small.page.locator('.text', { hasText: 'مرحبا' });
	assert.equal(await arabic.evaluate((el) => getComputedStyle(el).direction), 'rtl');
	await Promise.all([long.leaves(), small.leaves()]);
});

test('two hundred messages at once: all there, in order, once', async () => {
	const quinn = await enters('Quinn');
	const ray = await Api.guest(server.url, 'Ray');
	for (let i = 0; i < 200; i += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => ray.say('room:lobby', `burst ${i + k}`)));
	await quinn.page.waitForFunction(() => document.querySelectorAll('.messages .text').length >= 200);
	const log = await fetch(`${server.url}/v1/channels/room:lobby/messages?before=end&limit=200`).then((r) => r.json());
	const want = log.messages.filter((m) => m.type === 'text').map((m) => m.data.text);
	await quinn.sees(want.at(-1));
	assert.deepEqual((await texts(quinn)).slice(-want.length), want);
	const gap = await quinn.page.locator('.scroller').evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight);
	assert.ok(gap < 80, 'the newest is in view');
	await quinn.leaves();
});

test('without network what is written waits, and goes out by itself', async () => {
	const [sam, tia] = [await enters('Sam'), await enters('Tia')];
	await sam.says('before');
	await tia.sees('before');
	await sam.context.setOffline(true);
	await sam.page.locator('.badge[data-state="offline"]').waitFor({ timeout: 60_000 });
	await sam.says('into the void');
	await sam.page.locator('.message.pending', { hasText: 'into the void' }).waitFor();
	await tia.says('meanwhile');
	await sam.context.setOffline(false);
	await tia.sees('into the void');
	await sam.sees('meanwhile');
	for (const person of [sam, tia]) assert.deepEqual((await texts(person)).filter((t) => ['before', 'into the void', 'meanwhile'].includes(t)).sort(), ['before', 'into the void', 'meanwhile']);
	await Promise.all([sam.leaves(), tia.leaves()]);
});

test('a message is deleted while its author edits it', async () => {
	const uma = await enters('Uma');
	await uma.says('going, going');
	await uma.sees('going, going');
	await uma.page.locator('.message.pending').waitFor({ state: 'detached' });
	await uma.composer().press('ArrowUp');
	await uma.composer().fill('going, gone');
	const api = await Api.of(uma);
	const { messages } = await api.call('GET', '/v1/channels/room:lobby/messages?before=end&limit=1');
	await api.call('POST', '/v1/channels/room:lobby/messages', { type: 'delete', data: { seq: messages[0].seq } });
	await uma.page.getByText('Editing your message').waitFor({ state: 'hidden' });
	await uma.page.getByText('This message does not exist any more.').waitFor();
	assert.equal(await uma.composer().inputValue(), 'going, gone', 'what was written is not lost');
	await uma.leaves();
});

test('one who wants no motion gets none', async () => {
	const vic = await enters('Vic', { reducedMotion: 'reduce' });
	await vic.says('/vote Calm? | yes | no');
	await vic.option('yes').click();
	await vic.counts('yes', 1);
	const moving = await vic.page.evaluate(() => document.getAnimations().filter((a) => a.effect.getComputedTiming().duration > 1).length);
	assert.equal(moving, 0);
	await vic.leaves();
});
