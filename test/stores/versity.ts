import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'
import { tethered } from '../helpers/tether.ts'
import { servers } from './tools.ts'

/** An S3 server that keeps objects in files and enforces object lock: `await using s3 = await openVersity({ hasVersions: true })`. */
export async function openVersity({ hasVersions }: { readonly hasVersions: boolean }) {
  const [port = 0] = await freePorts(1)
  const home = await mkdtemp(join(tmpdir(), 'maxbrod-versity-'))
  // Beside the objects, because not every file system has extended attributes.
  for (const folder of ['objects', 'versions', 'metadata']) await mkdir(join(home, folder))
  const credentials = { accessKeyId: 'maxbrod-test', secretAccessKey: randomBytes(20).toString('hex') }
  const versions = hasVersions ? ['--versioning-dir', join(home, 'versions')] : []
  const posix = ['posix', '--sidecar', join(home, 'metadata'), ...versions, join(home, 'objects')]
  const args = ['--port', `127.0.0.1:${port}`, '--quiet', ...posix]
  const child = spawn(...tethered(servers.versitygw, args), {
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const endpoint = `http://127.0.0.1:${port}`
  const isUp = async () => {
    if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}: ${said}`)
    return fetch(endpoint).then(
      () => true,
      () => false,
    )
  }
  await eventually('versitygw answers', isUp, { timeoutMs: 60_000 })
  return {
    endpoint,
    credentials,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      if (child.kill('SIGKILL')) await ended
      await rm(home, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
