import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comes, house, server } from './house.js';

house();

test('what people write never runs as script', async () => {
	const ann = await comes('Ann').then((p) => p.enters());
	const bob = await comes('<img src=x onerror=boo()>').then((p) => p.enters());
	const attacks = ['<script>window.hacked = 1</script>', '<img src=x onerror="window.hacked = 1">', 'javascript:window.hacked=1', '"><svg onload="window.hacked=1">', '[x](javascript:window.hacked=1)'];
	for (const attack of attacks) {
		await bob.says(attack);
		await ann.sees(attack);
	}
	await bob.says('/vote <b onmouseover="window.hacked=1">Q</b>? | <i>A</i> | <script>window.hacked=1</script>');
	await ann.option('<i>A</i>').waitFor();
	await ann.says('https://example.com/?a=<b>');
	const link = ann.log().getByRole('link', { name: /example\.com/ });
	await link.waitFor();
	assert.match(await link.getAttribute('rel'), /noopener/);
	assert.equal(await ann.log().locator('a[href^="javascript:"]').count(), 0);
	for (const person of [ann, bob]) assert.equal(await person.page.evaluate(() => window.hacked), undefined);
	await Promise.all([ann.leaves(), bob.leaves()]);
});

test('the policy forbids inline script, foreign frames and foreign sources', async () => {
	for (const path of ['/', '/v/ABCDE', '/v/ABCDE/present', '/transports', '/admin', '/nothing-here']) {
		const response = await fetch(server.url + path);
		const policy = response.headers.get('content-security-policy') ?? '';
		assert.match(policy, /default-src 'self'/, path);
		assert.match(policy, /frame-ancestors 'none'/, path);
		assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|https?:|\*/, path);
		const html = await response.text();
		assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/, path);
	}
});

test('the language changes at once and is remembered', async () => {
	const chinese = await comes('小明', { locale: 'zh-CN' });
	await chinese.page.getByRole('textbox').first().fill('小明');
	await chinese.page.getByRole('textbox').first().press('Enter');
	const composer = chinese.page.locator('.composer textarea');
	await composer.waitFor();
	assert.equal(await chinese.page.locator('html').getAttribute('lang'), 'zh-CN');
	await composer.fill('大家好');
	await composer.press('Enter');
	await chinese.sees('大家好');
	for (const where of ['h1', '.sidebar a.entry[aria-current]']) await chinese.page.locator(where, { hasText: '大厅' }).waitFor();
	assert.match(await composer.getAttribute('placeholder'), /大厅/);
	await chinese.page.locator('button.language').click();
	await chinese.page.getByRole('heading', { name: 'Rooms' }).waitFor();
	await chinese.page.getByRole('heading', { level: 1, name: 'Lobby' }).waitFor();
	assert.equal(await chinese.page.locator('html').getAttribute('lang'), 'en');
	await chinese.page.reload();
	await chinese.page.getByRole('heading', { name: 'Rooms' }).waitFor();
	await chinese.leaves();
});

test('the link of the banner makes the administrator', async () => {
	const [, token] = server.output().match(/\/admin#(\S+)/);
	const boss = await comes('Boss').then((p) => p.enters());
	const bob = await comes('Bob').then((p) => p.enters());
	await bob.says('unwanted');
	await boss.sees('unwanted');
	await boss.goes(`/admin#${token}`);
	await boss.page.waitForFunction(async () => (await (await fetch('/v1/session')).json()).user.admin);
	await boss.goes('/');
	await boss.erases('unwanted');
	await bob.page.locator('.message .text', { hasText: 'unwanted' }).waitFor({ state: 'detached' });
	await Promise.all([boss.leaves(), bob.leaves()]);
});

test('a private room by invite link', async () => {
	const ann = await comes('Mona').then((p) => p.enters());
	await ann.page.getByRole('button', { name: 'New room' }).click();
	const dialog = ann.page.getByRole('dialog');
	await dialog.getByRole('textbox').first().fill('会议 planning');
	await dialog.getByRole('checkbox').or(dialog.getByRole('switch')).first().check();
	await dialog.getByRole('button', { name: /[Cc]reate/ }).click();
	await ann.page.getByRole('heading', { name: '会议 planning' }).first().waitFor();
	await ann.says('only for us');
	const id = new URL(ann.page.url()).pathname.split('/')[2];
	const token = (await ann.context.cookies()).find((c) => c.name === 'parley').value;
	const { url } = await fetch(`${server.url}/v1/rooms/${id}/invite`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } }).then((r) => r.json());
	const bob = await comes('Nils').then((p) => p.enters());
	await bob.page.goto(url);
	await bob.sees('only for us');
	await Promise.all([ann.leaves(), bob.leaves()]);
});

test('a room by keyboard alone', async () => {
	const kay = await comes('Kay');
	await kay.page.getByRole('textbox', { name: 'Your name' }).waitFor();
	await kay.page.keyboard.type('Kay');
	await kay.page.keyboard.press('Enter');
	await kay.composer().waitFor();
	await kay.page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
	await kay.page.keyboard.type('typed');
	await kay.page.keyboard.press('Shift+Enter');
	await kay.page.keyboard.type('in two lines');
	await kay.page.keyboard.press('Enter');
	await kay.page.locator('.message .text', { hasText: 'typed\nin two lines' }).waitFor();
	await kay.leaves();
});
