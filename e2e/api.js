// The server as programs use it, to set a scene that the page is then looked at in.

import assert from 'node:assert/strict';

export class Api {
	/** @param {string} url @param {string} [token] */
	constructor(url, token) {
		Object.assign(this, { url, token });
	}

	/** Somebody who has no page. */
	static async guest(url, name) {
		const { token, user } = await new Api(url).call('POST', '/v1/session', { name });
		return Object.assign(new Api(url, token), user);
	}

	/** The one whose page this is. */
	static async of(person) {
		const { value } = (await person.context.cookies()).find((cookie) => cookie.name === 'parley');
		return new Api(person.url, value);
	}

	/** Waits as long as the server asks when it was too fast. */
	async call(method, path, body) {
		for (;;) {
			const response = await fetch(this.url + path, {
				method,
				headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...(this.token && { Authorization: `Bearer ${this.token}` }) },
				body: JSON.stringify(body),
			});
			const text = await response.text();
			const answer = text ? JSON.parse(text) : null;
			if (response.status === 429) {
				await new Promise((resolve) => setTimeout(resolve, answer.retry_after * 1000));
				continue;
			}
			assert.ok(response.ok, `${method} ${path}: ${text}`);
			return answer;
		}
	}

	say = (channel, text) => this.call('POST', `/v1/channels/${channel}/messages`, { type: 'text', data: { text } });
	ask = (vote) => this.call('POST', '/v1/votes', vote);
	cast = (code, options) => this.call('PUT', `/v1/votes/${code}/ballot`, { options });
}
