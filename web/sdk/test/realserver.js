// The real server as a process: PARLEY_BIN, or built from this repository.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './tools.js'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

export async function startParley(flags = []) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-sdk-'))
  let { PARLEY_BIN: binary } = process.env
  if (!binary) {
    binary = join(folder, 'parley')
    execFileSync('go', ['build', '-o', binary, './cmd/parley'], { cwd: repository, stdio: 'inherit' })
  }
  // The same port after a restart.
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let child
  let log = ''
  async function start() {
    child = spawn(binary, ['--addr', `127.0.0.1:${port}`, '--data', join(folder, 'data'), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (log += chunk))
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`the server did not start:\n${log}`)
      return fetch(`${url}/readyz`).then(response => response.ok, () => false)
    }, 'the server to be ready')
  }
  async function kill(signal = 'SIGKILL') {
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  await start()
  return {
    url, port, start, kill, log: () => log,
    async close() {
      if (child.exitCode === null && child.signalCode === null) await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
