// Takes the pictures: docs/images/two-windows.png for the README, and in e2e/shots every page in both languages, light, dark
// and on a phone, to be looked at. `npm run shots`

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch, Person, phone } from './people.js';
import { startServer } from './server.js';

const folder = fileURLToPath(new URL('shots/', import.meta.url));
const images = fileURLToPath(new URL('../docs/images/', import.meta.url));
await mkdir(folder, { recursive: true });
await mkdir(images, { recursive: true });

const server = await startServer('--rate-publish', 'off', '--rate-ballot', 'off', '--rate-address', 'off');
const browser = await launch();

async function api(token, method, path, body) {
	const response = await fetch(server.url + path, {
		method,
		headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
		body: body && JSON.stringify(body),
	});
	const text = await response.text();
	if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
	return text && JSON.parse(text);
}
const guest = async (name) => ({ name, ...(await api('', 'POST', '/v1/session', { name })) });
const say = (who, channel, text) => api(who.token, 'POST', `/v1/channels/${channel}/messages`, { type: 'text', data: { text } });

/** A small world: people, a room or two, a talk, a vote with ballots. */
async function furnish() {
	const [mei, tom, lars, sofia] = await Promise.all(['Mei Lin', 'Tom Becker', 'Lars', 'Sofía'].map(guest));
	await api(mei.token, 'POST', '/v1/rooms', { name: 'Design', topic: 'Everything that can be seen' });
	await api(tom.token, 'POST', '/v1/rooms', { name: '读书会', topic: '每周四晚上八点' });
	await say(tom, 'room:lobby', 'Morning! The room for Thursday is booked: 40 seats, projector, coffee.');
	await say(tom, 'room:lobby', 'Agenda is in https://example.com/thursday, please add yours.');
	await say(mei, 'room:lobby', '太好了 🎉 I will bring the posters.');
	await say(lars, 'room:lobby', 'Can we start at 10? My train arrives at 9:40.');
	await say(sofia, 'room:lobby', 'Works for me. ¿Alguien necesita un aventón?');
	const vote = await api(mei.token, 'POST', '/v1/votes', { question: 'When do we start on Thursday?', options: ['9:30', '10:00', '10:30, with lunch'], room: 'lobby' });
	await api(lars.token, 'PUT', `/v1/votes/${vote.code}/ballot`, { options: [2] });
	await api(sofia.token, 'PUT', `/v1/votes/${vote.code}/ballot`, { options: [2] });
	await say(lars, 'room:lobby', 'Voted. 10:00 it is, I hope 😄');
	return { mei, tom, lars, sofia, vote };
}

const cookie = (who) => ({ storageState: { cookies: [{ name: 'parley', value: who.token, domain: '127.0.0.1', path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' }], origins: [] } });
const comes = (who, options) => Person.comes(browser, server.url, who.name, { ...cookie(who), ...options });

async function shoot(person, name, wait = person.page.waitForTimeout(900)) {
	await wait;
	await person.page.screenshot({ path: `${folder}${name}.png` });
	console.log(name);
}

const world = await furnish();
const { mei, tom, lars, sofia, vote } = world;
const here = await Promise.all([comes(lars), comes(sofia)]);

// The README's picture.
const windows = await Promise.all([comes(tom, { viewport: { width: 1040, height: 740 } }), comes(mei, { viewport: { width: 1040, height: 740 }, colorScheme: 'dark' })]);
await windows[0].option('10:00').click();
await windows[1].option('9:30').click();
for (const person of windows) await person.counts('10:00', 3);
await windows[1].composer().pressSequentially('See you all at ten', { delay: 30 });
await windows[0].page.getByText(/is typing|are typing/).waitFor().catch(() => {});
const pictures = await Promise.all(windows.map((person) => person.page.screenshot()));
const desk = await browser.newPage({ viewport: { width: 1640, height: 1010 }, deviceScaleFactor: 1 });
const frame = 'position:absolute;width:1040px;height:740px;border-radius:12px;box-shadow:0 24px 60px rgb(20 40 40/.35)';
await desk.setContent(`<body style="margin:0;background:linear-gradient(135deg,#cfe3dd,#e9e3d4)">
	<img style="${frame};left:50px;top:50px" src="data:image/png;base64,${pictures[0].toString('base64')}">
	<img style="${frame};left:550px;top:220px" src="data:image/png;base64,${pictures[1].toString('base64')}">`);
await writeFile(`${images}two-windows.png`, await desk.screenshot());
for (const person of windows) await person.leaves();

for (const [language, locale] of [['en', 'en-US'], ['zh', 'zh-CN']]) {
	for (const colorScheme of ['light', 'dark']) {
		const options = { locale, colorScheme };
		const name = (page) => `${page}-${language}-${colorScheme}`;
		const stranger = await Person.comes(browser, server.url, 'x', options);
		await shoot(stranger, name('welcome'));
		await stranger.goes('/transports');
		await shoot(stranger, name('transports-empty'));
		await stranger.leaves();
		const reader = await comes(tom, options);
		await reader.page.locator('.message').first().waitFor();
		await shoot(reader, name('chat'));
		await reader.goes(`/v/${vote.code}`);
		await shoot(reader, name('vote'));
		await reader.goes(`/transports?vote=${vote.code}`);
		await reader.page.locator('main .buttons button').first().click();
		await shoot(reader, name('transports'), reader.page.waitForTimeout(4000));
		await reader.goes('/nothing');
		await shoot(reader, name('absent'));
		await reader.leaves();
		const owner = await comes(mei, options);
		await owner.goes(`/v/${vote.code}/present`);
		await shoot(owner, name('present'));
		await owner.goes(`/v/${vote.code}`);
		await shoot(owner, name('vote-owner'));
		await owner.leaves();
		const walker = await comes(tom, { ...phone, ...options, path: '/r/lobby' });
		await walker.page.locator('.message').first().waitFor();
		await shoot(walker, name('phone-chat'));
		await walker.goes(`/v/${vote.code}`);
		await shoot(walker, name('phone-vote'));
		await walker.goes('/');
		await shoot(walker, name('phone-list'));
		await walker.leaves();
	}
}
for (const person of here) await person.leaves();
await browser.close();
await server.close();
