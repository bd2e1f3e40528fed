// The built server as a process of its own, in an empty folder on a free port; and nginx in front of it, set up as badly as
// proxies in the world are.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = fileURLToPath(new URL('../bin/parley', import.meta.url));

export async function freePort() {
	const server = createServer().listen(0, '127.0.0.1');
	await new Promise((resolve) => server.once('listening', resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

const ended = (child) => (child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve)));

async function answers(url, child, output) {
	for (let i = 0; i < 500; i++) {
		if (child.exitCode !== null) break;
		try {
			await (await fetch(url)).arrayBuffer();
			return;
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}
	throw new Error(`nothing answers at ${url}:\n${output()}`);
}

/** Starts a server; stop, kill and restart keep its folder and address until close. */
export async function startServer(...flags) {
	if (!existsSync(binary)) throw new Error(`${binary} is missing: run make build`);
	const data = await mkdtemp(join(tmpdir(), 'parley-e2e-'));
	const port = await freePort();
	const url = `${flags.includes('--tls-cert') ? 'https' : 'http'}://127.0.0.1:${port}`;
	let child;
	let text = '';
	async function start() {
		child = spawn(binary, ['--addr', `127.0.0.1:${port}`, '--data', data, ...flags]);
		child.stdout.on('data', (chunk) => (text += chunk));
		child.stderr.on('data', (chunk) => (text += chunk));
		await answers(`${url}/readyz`, child, () => text);
	}
	async function end(signal) {
		child.kill(signal);
		await ended(child);
	}
	await start();
	return {
		url,
		port,
		output: () => text,
		start,
		kill: () => end('SIGKILL'),
		stop: () => end('SIGTERM'),
		close: async () => {
			await end('SIGKILL');
			await rm(data, { recursive: true, force: true });
		},
	};
}

/** nginx in front of a server. `location` is what its location block says beside proxy_pass. */
export async function startNginx(port, location) {
	const dir = await mkdtemp(join(tmpdir(), 'parley-nginx-'));
	const own = await freePort();
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join('\n');
	await writeFile(
		join(dir, 'nginx.conf'),
		`daemon off; master_process off; pid ${dir}/pid; error_log stderr warn;
events { worker_connections 512; }
http {
	access_log off;
	${temporary}
	server {
		listen 127.0.0.1:${own};
		location / {
			proxy_pass http://127.0.0.1:${port};
			proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			${location}
		}
	}
}`,
	);
	let text = '';
	const command = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx';
	const child = spawn(command, ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')]);
	child.on('error', (error) => (text += String(error)));
	child.stderr.on('data', (chunk) => (text += chunk));
	const url = `http://127.0.0.1:${own}`;
	await answers(url, child, () => text);
	return {
		url,
		close: async () => {
			child.kill('SIGKILL');
			await ended(child);
			await rm(dir, { recursive: true, force: true });
		},
	};
}

/** As nginx comes from the shelf: it does not pass Upgrade on. */
export const stripsUpgrade = '';

/** It does not pass Upgrade on, and holds every answer back until it is whole. */
export const buffers = 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; proxy_buffers 16 64k; proxy_buffer_size 64k;';
