// People in a real browser: each has a context of their own, finds things by what they say, and fails when the page logs an
// error or breaks its Content-Security-Policy.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (!executablePath) throw new Error('Chromium is missing: run scripts/setup.sh');

export const launch = (...flags) =>
	chromium.launch({
		executablePath,
		args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...flags],
	});

export const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

export class Person {
	/** @param {import('playwright-core').Browser} browser */
	static async comes(browser, url, name, { path = '/', ...options } = {}) {
		const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, ...options });
		const person = new Person(context, await context.newPage(), url, name);
		await person.goes(path);
		return person;
	}

	constructor(context, page, url, name) {
		Object.assign(this, { context, page, url, name, troubles: [], expected: [] });
		page.setDefaultTimeout(20_000);
		page.on('pageerror', (error) => this.troubles.push(`error: ${error.stack}`));
		page.on('console', (message) => {
			const text = message.text();
			// The browser itself notes every failed request; what the page makes of them is what the tests look at.
			if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to|net::ERR/.test(text)) this.troubles.push(`console: ${text}`);
		});
	}

	goes = (path) => this.page.goto(this.url + path);

	/** Types the name on the first card. */
	async enters() {
		await this.page.getByRole('textbox', { name: 'Your name' }).fill(this.name);
		await this.page.getByRole('button', { name: 'Start talking' }).click();
		await this.composer().waitFor();
		return this;
	}

	/** Another tab of the same person; its troubles are theirs. */
	async anotherTab(path) {
		const tab = new Person(this.context, await this.context.newPage(), this.url, this.name);
		tab.troubles = this.troubles;
		await tab.goes(path);
		return tab;
	}

	composer = () => this.page.getByRole('textbox', { name: /^Message to/ });

	async says(text) {
		await this.composer().fill(text);
		await this.composer().press('Enter');
	}

	/** Deletes a message by its menu. */
	async erases(text) {
		const message = this.page.locator('.message', { hasText: text });
		await message.hover();
		await message.locator('.message-tools').click();
		await this.page.getByRole('menuitem', { name: 'Delete' }).click();
		await this.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	}

	log = () => this.page.getByRole('log');

	sees = (text, where = this.log()) => where.getByText(text, { exact: true }).first().waitFor();

	/** Waits until the connection's badge says so. */
	transport = (name) => this.page.locator('.badge[data-state="open"]', { hasText: name }).first().waitFor({ timeout: 40_000 });

	async forces(name) {
		await this.page.locator('button.badge').first().click();
		await this.page.getByRole('menuitemradio', { name: new RegExp(`^${name}`) }).click();
		await this.transport(name);
	}

	option = (text) => this.page.locator('.option', { hasText: text }).last();

	/** Waits until an option shows a count. */
	counts = (text, n) => this.option(text).locator('.option-count', { hasText: new RegExp(`^${n} `) }).waitFor();

	async leaves() {
		await this.context.close();
		assert.deepEqual(this.troubles, [], `${this.name}'s page had troubles`);
	}
}
