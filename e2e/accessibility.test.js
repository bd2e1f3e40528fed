// axe-core looks at every page and dialog, in both colour schemes, wide and on a phone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Api } from './api.js';
import { launch, Person, phone } from './people.js';
import { startServer } from './server.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let server, browser, owner, vote;
before(async () => {
	server = await startServer('--rate-address', 'off');
	browser = await launch();
	owner = await Api.guest(server.url, 'Olga');
	await owner.say('room:lobby', 'See https://example.com/ for more');
	vote = await owner.ask({ question: 'Where to?', options: ['Sea', 'Hills', 'City'], room: 'lobby' });
	await owner.cast(vote.code, [2]);
});
after(async () => {
	await browser?.close();
	await server?.close();
});

/** What axe-core holds against the page as it is now. */
async function look(person, what, found) {
	await person.page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => {}))));
	const { violations } = await person.page.evaluate(async (source) => {
		if (!window.axe) (0, eval)(source);
		return window.axe.run(document, { resultTypes: ['violations'] });
	}, axe);
	for (const { id, help, nodes } of violations) found.push(`${what}: ${id} (${help}): ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

for (const colorScheme of ['light', 'dark']) {
	for (const [screen, size] of [['a wide screen', {}], ['a phone', phone]]) {
		test(`nothing in the way of anyone: ${colorScheme}, ${screen}`, async () => {
			const found = [];
			// The pages forbid eval; here it is not the page that asks.
			const who = await Person.comes(browser, server.url, `Ann ${colorScheme} ${screen}`.slice(0, 32), { colorScheme, bypassCSP: true, ...size });
			await who.page.getByRole('textbox', { name: 'Your name' }).waitFor();
			await look(who, 'welcome', found);
			await who.enters();
			await who.counts('Hills', 1);
			await who.says('hello');
			await who.page.locator('.message.pending').waitFor({ state: 'detached' });
			await look(who, 'chat', found);
			if (size === phone) {
				await who.page.getByRole('link', { name: 'Back to the list' }).click();
				await look(who, 'list', found);
				await who.page.locator('.sidebar a.entry', { hasText: 'Lobby' }).click();
				await who.page.locator('.people-button').click();
				await look(who, 'people', found);
				await who.goes('/');
			}
			await who.page.locator('button.badge').first().click();
			await look(who, 'transport menu', found);
			await who.page.keyboard.press('Escape');
			await who.page.locator('button.me').click();
			await look(who, 'own menu', found);
			await who.page.getByRole('menuitem', { name: 'Change name' }).click();
			await look(who, 'rename', found);
			await who.page.keyboard.press('Escape');
			for (const button of ['New room', 'Find a person', 'New vote']) {
				await who.page.locator('.sidebar').getByRole('button', { name: button }).click();
				await who.page.getByRole('dialog').waitFor();
				await look(who, button, found);
				await who.page.keyboard.press('Escape');
				await who.page.getByRole('dialog').waitFor({ state: 'detached' });
			}
			await who.goes('/r/lobby');
			await who.page.getByRole('button', { name: 'Invite people' }).click();
			await who.page.getByRole('dialog').waitFor();
			await look(who, 'invite', found);
			await who.goes('/r/lobby');
			await who.page.getByRole('button', { name: 'Search messages' }).click();
			await who.page.getByRole('dialog').getByRole('combobox').fill('more');
			await who.page.getByRole('option').first().waitFor();
			await who.page.keyboard.press('ArrowDown');
			await look(who, 'search', found);
			await who.page.getByRole('option').first().click();
			await who.page.locator('.message.sought').waitFor();
			await look(who, 'found', found);
			await who.goes('/r/nowhere');
			await who.page.getByRole('heading', { level: 1 }).waitFor();
			await look(who, 'no such room', found);
			const mine = await (await Api.of(who)).ask({ question: 'Several?', options: ['a', 'b', 'c'], max: 2, results: 'closed', closes_in: 600 });
			for (const [path, sign] of [
				[`/v/${vote.code}`, '.option'],
				[`/v/${mine.code}`, '.owner-controls'],
				[`/v/${vote.code}/present`, '.wall-bars li'],
				[`/v/${mine.code}/present`, '.wall-controls'],
				[`/transports?vote=${vote.code}`, '.panel'],
				['/transports', 'main .buttons'],
				['/admin', 'main h1'],
				['/nothing', 'main h1'],
				['/v/ABCDE', 'main h1'],
			]) {
				await who.goes(path);
				await who.page.locator(sign).first().waitFor();
				await look(who, path, found);
			}
			await who.leaves();
			assert.deepEqual(found, []);
		});
	}
}
