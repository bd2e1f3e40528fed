import { test } from 'node:test';
import { browser, comes, house, server } from './house.js';
import { Person } from './people.js';
import { buffers, startNginx, stripsUpgrade } from './server.js';

house();

/** Two people talk and vote, whatever carries it. */
async function talkAndVote(ann, bob, word) {
	await ann.says(`from ann by ${word}`);
	await bob.sees(`from ann by ${word}`);
	await bob.says(`from bob by ${word}`);
	await ann.sees(`from bob by ${word}`);
	await ann.says(`/vote ${word}? | Yes | No`);
	const card = (person) => person.page.locator('.vote-card', { hasText: `${word}?` });
	await card(bob).locator('.option', { hasText: 'Yes' }).click();
	await card(ann).locator('.option', { hasText: 'No' }).click();
	for (const person of [ann, bob]) {
		for (const option of ['Yes', 'No']) await card(person).locator('.option', { hasText: option }).locator('.option-count', { hasText: /^1 / }).waitFor();
	}
}

for (const transport of ['WebSocket', 'SSE', 'Long poll', 'Poll']) {
	const word = `with ${transport.toLowerCase()} it`;
	test(`everything works with ${transport} forced`, async () => {
		const [ann, bob] = await Promise.all([Person.comes(browser, server.url, `Ann ${transport}`), Person.comes(browser, server.url, `Bob ${transport}`)]);
		for (const person of [ann, bob]) {
			await person.enters();
			await person.forces(transport);
		}
		await talkAndVote(ann, bob, word);
		await Promise.all([ann.leaves(), bob.leaves()]);
	});
}

test('changing the transport in the middle loses nothing and doubles nothing', async () => {
	const [ann, bob] = await Promise.all([Person.comes(browser, server.url, 'Anna'), Person.comes(browser, server.url, 'Bobby')]);
	await ann.enters();
	await bob.enters();
	let n = 0;
	for (const transport of ['Poll', 'WebSocket', 'Long poll', 'SSE', 'WebSocket']) {
		await ann.says(`change ${n}`);
		await bob.forces(transport);
		await ann.says(`changed ${n}`);
		await bob.sees(`change ${n}`);
		await bob.sees(`changed ${n}`);
		n++;
	}
	for (let i = 0; i < n; i++) {
		for (const text of [`change ${i}`, `changed ${i}`]) {
			const count = await bob.log().getByText(text, { exact: true }).count();
			if (count !== 1) throw new Error(`"${text}" is there ${count} times`);
		}
	}
	await Promise.all([ann.leaves(), bob.leaves()]);
});

for (const [what, location, transport] of [
	['strips Upgrade', stripsUpgrade, 'SSE'],
	['strips Upgrade and buffers streams', buffers, 'Long poll'],
]) {
	test(`behind a proxy that ${what} the page finds ${transport} by itself`, async () => {
		const nginx = await startNginx(server.port, location);
		const [ann, bob] = await Promise.all([Person.comes(browser, nginx.url, `Ann ${what}`.slice(0, 32)), Person.comes(browser, nginx.url, `Bob ${what}`.slice(0, 32))]);
		for (const person of [ann, bob]) {
			await person.enters();
			await person.transport(transport);
		}
		await talkAndVote(ann, bob, what);
		await Promise.all([ann.leaves(), bob.leaves()]);
		await nginx.close();
	});
}
