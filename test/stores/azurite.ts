import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { tethered } from '../helpers/tether.ts'
import { servers } from './tools.ts'

/** Azure's blob storage as its makers emulate it, and S3Proxy in front of it: `await using s3 = await openAzure()`. */
export async function openAzure() {
  await using stack = new AsyncDisposableStack()
  const [port = 0] = await freePorts(1)
  const home = await mkdtemp(join(tmpdir(), 'maxbrod-azurite-'))
  stack.defer(() => rm(home, { recursive: true, force: true, maxRetries: 3 }))
  const account = 'maxbrod'
  const key = randomBytes(32).toString('base64')
  const { PATH = '', HOME = '' } = process.env
  const place = ['--blobHost', '127.0.0.1', '--blobPort', `${port}`, '--location', home]
  const flags = ['--silent', '--skipApiVersionCheck', '--disableTelemetry']
  const child = spawn(...tethered(process.execPath, [servers.azurite, ...place, ...flags]), {
    env: { PATH, HOME, AZURITE_ACCOUNTS: `${account}:${key}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  stack.defer(async () => {
    const ended = once(child, 'exit')
    if (child.kill('SIGKILL')) await ended
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (said += text))
  const endpoint = `http://127.0.0.1:${port}/${account}`
  const isUp = async () => {
    if (child.exitCode !== null) throw new Error(`azurite ended with ${child.exitCode}: ${said}`)
    return fetch(endpoint).then(
      () => true,
      () => false,
    )
  }
  await eventually('azurite answers', isUp, { timeoutMs: 60_000 })
  const s3 = stack.use(
    await S3Proxy.start({
      properties: {
        'jclouds.provider': 'azureblob-sdk',
        'jclouds.endpoint': endpoint,
        'jclouds.identity': account,
        'jclouds.credential': key,
        // Azure's names of metadata have no hyphens.
        's3proxy.user-metadata-replacer-blobstore': 'true',
        's3proxy.user-metadata-replacer-blobstore.from-chars': '-',
        's3proxy.user-metadata-replacer-blobstore.to-chars': '_',
      },
    }),
  )
  const owned = stack.move()
  return { s3, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
