import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Secret } from '../../src/config/secret.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { storageOptions } from '../../src/storage/options.ts'
import { s3Route } from '../../src/storage/s3-route.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { HttpProxy } from '../helpers/http-proxy.ts'
import { bodyOf, contentOf, patternOf } from '../helpers/object-bodies.ts'
import { optionsOf } from '../helpers/options.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { openBucket, s3Environment } from '../helpers/shared-s3.ts'
import { tethered } from '../helpers/tether.ts'

const run = promisify(execFile)
const content = patternOf(100_000)

test('https:// works with a certificate that is vouched for, and with no other', { timeout: 180_000 }, async () => {
  await using s3 = await S3Proxy.start({ isTls: true, provider: 'filesystem', buckets: ['backup'] })
  const roundTrip = async (env: Record<string, string>) => {
    const program = join(import.meta.dirname, 'programs/round-trip.ts')
    const command = tethered(process.execPath, [program, s3.endpoint, 'backup'])
    const { stdout } = await run(...command, { env: { ...process.env, ...s3Environment(s3), ...env } })
    return stdout.trim().split('\n')
  }
  assert.deepEqual(await roundTrip({ NODE_EXTRA_CA_CERTS: s3.certificateFile }), ['equal', 'equal', 'equal'])
  const [error] = await roundTrip({})
  assert.match(String(error), /^STORAGE_REFUSED: .*NODE_EXTRA_CA_CERTS/)

  // The same with --s3-ca-cert, and through a tunnel of a proxy that wants a user.
  await using proxy = await HttpProxy.start('alice:s3cret')
  const place = { kind: 's3', bucket: 'backup', prefix: 'behind' } as const
  const flags = [
    `--s3-endpoint=${s3.endpoint}`,
    `--s3-ca-cert=${s3.certificateFile}`,
    `--s3-proxy=${proxy.url}`,
    '--s3-proxy-user=alice',
  ]
  const options = optionsOf(storageOptions, '--storage=s3://backup', ...flags)
  const password = new Secret('s3cret')
  const store = openS3Store({
    ...s3Route(place, { ...options, s3ProxyPassword: password }),
    credentials: s3.credentials,
  })
  assert.deepEqual(await store.put('a', bodyOf(content), {}), { created: true, etag: (await store.head('a'))?.etag })
  assert.deepEqual(await contentOf(await store.get('a')), content)
  store.close()
  const { host } = new URL(s3.endpoint)
  assert.ok(proxy.asked.length > 0)
  assert.deepEqual(new Set(proxy.asked), new Set([`CONNECT ${host}`]))
  const stranger = openS3Store({ ...s3Route(place, options), credentials: s3.credentials })
  await assert.rejects(stranger.head('a'), isMaxbrodError)
  stranger.close()
})

test('http:// goes through a proxy, too', async () => {
  await using bucket = await openBucket()
  await using proxy = await HttpProxy.start()
  const store = openS3Store({ ...bucket.options, proxy: proxy.url })
  await store.put('a', bodyOf(content), {})
  assert.deepEqual(await contentOf(await store.get('a')), content)
  store.close()
  assert.ok(
    proxy.asked.some(line => line.startsWith(`PUT ${bucket.endpoint}/${bucket.bucket}/a`)),
    proxy.asked.join(),
  )
})

test('a password in the address of a proxy is refused without repeating it', () => {
  assert.throws(
    () => optionsOf(storageOptions, '--storage=s3://backup', '--s3-proxy=http://alice:s3cret@proxy:3128'),
    error => isMaxbrodError(error, 'USAGE') && !`${error.message}${error.hint}`.includes('s3cret'),
  )
})
