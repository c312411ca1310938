import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'
import { tethered } from '../helpers/tether.ts'
import { javaProgram } from '../servers/jars.ts'
import { servers } from './tools.ts'

/** An S3 server that knows one key of KMS and says of each object how it keeps it. */
export async function openS3Mock() {
  const [port = 0] = await freePorts(1)
  const home = await mkdtemp(join(tmpdir(), 'maxbrod-s3mock-'))
  const settings = {
    'server.port': '0', // that of https
    'com.adobe.testing.s3mock.httpPort': port,
    'com.adobe.testing.s3mock.store.root': home,
    'com.adobe.testing.s3mock.store.validKmsKeys': 'arn:aws:kms:us-east-1:1234567890:key/backups',
  }
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
  const [program, args] = tethered(javaProgram(), ['-Xmx256m', '-XX:+UseSerialGC', '-jar', servers.s3mock, ...flags])
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)))
  const endpoint = `http://127.0.0.1:${port}`
  const isUp = async () => {
    if (child.exitCode !== null) throw new Error(`S3Mock ended with ${child.exitCode}: ${said}`)
    return fetch(endpoint).then(
      () => true,
      () => false,
    )
  }
  await eventually('S3Mock answers', isUp, { timeoutMs: 300_000 })
  return {
    endpoint,
    keyId: 'backups',
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      if (child.kill('SIGKILL')) await ended
      await rm(home, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
