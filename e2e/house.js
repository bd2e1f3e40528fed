// What every test file of pages has: one server and one browser for all its tests, and people who come to them.

import { after, before } from 'node:test';
import { launch, Person } from './people.js';
import { startServer } from './server.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */
export let server;
/** @type {import('playwright-core').Browser} */
export let browser;

/** Opens before the first test of the file, and closes after the last. */
export function house(...flags) {
	before(async () => {
		server = await startServer(...flags);
		browser = await launch();
	});
	after(async () => {
		await browser?.close();
		await server?.close();
	});
}

export const comes = (name, options) => Person.comes(browser, server.url, name, options);
