// WebSockets over HTTP/2 (RFC 8441), in a real browser over TLS. That they are is not assumed: Chromium's network log is read, which has the
// requests as they went out, and the connections they went over.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, Person } from './people.js';
import { startServer } from './server.js';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // for the fetch that waits for the server

let dir, server;
before(async () => {
	dir = await mkdtemp(join(tmpdir(), 'parley-http2-'));
	const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
	execFileSync('openssl', [...request, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')], { stdio: 'ignore' });
	server = await startServer('--tls-cert', join(dir, 'cert.pem'), '--tls-key', join(dir, 'key.pem'));
});
after(async () => {
	await server?.close();
	await rm(dir, { recursive: true, force: true });
});

/** The events of Chromium's network log, each with its type and the name of its source's type. */
async function networkLog(path) {
	const { constants, events } = JSON.parse(await readFile(path, 'utf8'));
	const name = (names, number) => Object.keys(names).find((key) => names[key] === number);
	return events.map((event) => ({ ...event, type: name(constants.logEventTypes, event.type), from: name(constants.logSourceType, event.source.type) }));
}

test('people talk over WebSockets that are streams of HTTP/2 connections', async () => {
	const log = join(dir, 'net.json');
	const browser = await launch('--ignore-certificate-errors', `--log-net-log=${log}`, '--net-log-capture-mode=IncludeSensitive');
	const people = await Promise.all(['Ann', 'Bob'].map((name) => Person.comes(browser, server.url, name)));
	const [ann, bob] = people;
	for (const person of people) {
		await person.enters();
		await person.forces('WebSocket');
	}
	await ann.says('over a stream');
	await bob.sees('over a stream');
	const long = 'many frames of DATA '.repeat(150).trim();
	await bob.says(long);
	await ann.sees(long);
	await Promise.all(people.map((person) => person.leaves()));
	await browser.close();

	const events = await networkLog(log);
	const sent = events.filter(({ type, params }) => type === 'HTTP2_SESSION_SEND_HEADERS' && params?.headers?.some((field) => field === ':protocol: websocket'));
	assert.ok(sent.length >= 2, `${sent.length} requests with :protocol websocket went out`);
	for (const { source, params } of sent) {
		assert.ok(params.headers.includes(':method: CONNECT'), params.headers.join('\n'));
		const answer = events.find((event) => event.type === 'HTTP2_SESSION_RECV_HEADERS' && event.source.id === source.id && event.params.stream_id === params.stream_id);
		assert.ok(answer?.params.headers.includes(':status: 200'), JSON.stringify(answer?.params));
	}
	const upgrades = events.filter(({ params }) => /^upgrade: websocket/im.test([params?.headers ?? []].flat().join('\n')));
	assert.equal(upgrades.length, 0, 'a WebSocket went over HTTP/1.1');
});
