import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { after, before, test } from 'node:test'
import { parse } from '../../src/config/parse.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { checkKeeping, keepingOptions } from '../../src/storage/keeping-options.ts'
import { openStorage } from '../../src/storage/open.ts'
import { storageOptions } from '../../src/storage/options.ts'
import { runCommand } from '../helpers/in-process.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { optionsOf } from '../helpers/options.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { openBucket, sharedS3, skipWithForeignS3 } from '../helpers/shared-s3.ts'

const day = 24 * 3_600_000
const asked = ['--object-lock=compliance', '--retain=30d', '--sse=aws:kms', '--sse-kms-key-id=alias/backups']

// It checks no signatures, so that the proxy in front of it may take away what it does not know.
let s3: S3Proxy

before(async () => {
  await sharedS3() // for the credentials
  s3 = await S3Proxy.start({ properties: { 's3proxy.authorization': 'none' } })
})

after(() => s3[Symbol.asyncDispose]())

function open(...flags: string[]) {
  const { values } = parse([storageOptions, keepingOptions], { argv: flags, env: {}, readFile: () => '' })
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: new Metrics() }
  return openStorage({ ...values.storage, ...values.keeping }, deps)
}

/** What a server says of an object that is locked and encrypted, as AWS does; the one behind the proxy knows neither. */
const confirms = {
  put: { 'x-amz-server-side-encryption': 'aws:kms' },
  head: {
    'x-amz-object-lock-mode': 'COMPLIANCE',
    'x-amz-object-lock-retain-until-date': '2099-01-01T00:00:00.000Z',
  },
}
const stripped = {
  'x-amz-object-lock-mode': undefined,
  'x-amz-object-lock-retain-until-date': undefined,
  'x-amz-server-side-encryption': undefined,
  'x-amz-server-side-encryption-aws-kms-key-id': undefined,
}

/** A store that took the wishes, and answers to each verb with these headers; and what it was asked. */
async function openKeeping(answers: { readonly put: Record<string, string>; readonly head: Record<string, string> }) {
  const stack = new AsyncDisposableStack()
  const faults = stack.use(await S3Faults.start(s3.endpoint))
  const bucket = stack.use(await openBucket(s3.endpoint, s3.credentials))
  const requests: { readonly line: string; readonly headers: IncomingHttpHeaders }[] = []
  faults.rule((line, headers) => {
    requests.push({ line, headers })
    const answer = line.startsWith('PUT ') ? answers.put : line.startsWith('HEAD ') ? answers.head : {}
    return { kind: 'changed headers', headers: stripped, answer }
  })
  const flags = [`--storage=${bucket.url('prod')}`, `--s3-endpoint=${faults.endpoint}`, '--s3-region=us-east-1']
  return { flags, requests, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('every object is put with lock, encryption and storage class, and the store is asked once whether it locked', async () => {
  await using world = await openKeeping(confirms)
  const store = await open(...world.flags, ...asked, '--storage-class=STANDARD_IA')
  for (const key of ['orders/0/a', '@points/b', 'orders/0/a']) await store.put(key, bodyOf(key), {})
  store.close()
  const puts = world.requests.filter(({ line }) => line.startsWith('PUT '))
  assert.equal(puts.length, 3)
  for (const { headers } of puts) {
    assert.equal(headers['x-amz-object-lock-mode'], 'COMPLIANCE')
    const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']))
    assert.ok(Math.abs(until - Date.now() - 30 * day) < 3_600_000, String(until))
    assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms')
    assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], 'alias/backups')
    assert.equal(headers['x-amz-storage-class'], 'STANDARD_IA')
    assert.match(String(headers['x-amz-checksum-sha256']), /^[A-Za-z0-9+/]{43}=$/)
    assert.equal(headers['if-none-match'], '*')
  }
  assert.equal(world.requests.filter(({ line }) => line.startsWith('HEAD ')).length, 1)
})

test('a store that took the words and kept nothing is refused by name', async () => {
  const { put, head } = confirms
  for (const [answers, flags, says, hint] of [
    [{ put, head: {} }, asked, /does not say that it is locked/, /create the bucket with object lock/],
    [{ put, head: { ...head, 'x-amz-object-lock-mode': 'GOVERNANCE' } }, asked, /locked/, /s3:GetObjectRetention/],
    [{ put: {}, head }, asked, /does not say that it is encrypted with aws:kms/, /leave it out/],
  ] as const) {
    await using world = await openKeeping(answers)
    const store = await open(...world.flags, ...flags)
    const put_ = store.put('orders/0/a', bodyOf('x'), {})
    await assert.rejects(put_, (error: { code?: string; message?: string; hint?: string }) => {
      assert.equal(error.code, 'STORAGE_REFUSED')
      assert.match(String(error.message), says)
      assert.match(String(error.hint), hint)
      return true
    })
    store.close()
  }
})

test('without the flags nothing of it is sent', async () => {
  await using world = await openKeeping({ put: {}, head: {} })
  const store = await open(...world.flags)
  await store.put('orders/0/a', bodyOf('x'), {})
  store.close()
  const names = world.requests.flatMap(({ headers }) => Object.keys(headers))
  assert.deepEqual(
    names.filter(name => /lock|encryption|storage-class|checksum-sha256/.test(name)),
    [],
  )
})

test('a bucket that locks by default gets the checksum that it asks for, from then on with every object', async () => {
  await using bucket = await openBucket(s3.endpoint, s3.credentials)
  await using faults = await S3Faults.start(s3.endpoint)
  const message = 'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock'
  const sums: (string | undefined)[] = []
  faults.rule((line, headers) => {
    if (!line.startsWith('PUT ')) return undefined
    const sum = headers['x-amz-checksum-sha256'] as string | undefined
    sums.push(sum)
    if (sum !== undefined) return undefined
    const body = `<Error><Code>InvalidRequest</Code><Message>${message}</Message></Error>`
    return { kind: 'answer', status: 400, body, headers: { 'content-type': 'application/xml' } }
  })
  const store = await open(`--storage=${bucket.url()}`, `--s3-endpoint=${faults.endpoint}`, '--s3-region=us-east-1')
  for (const key of ['a/1', 'a/2']) assert.equal((await store.put(key, bodyOf(key), {})).created, true)
  store.close()
  assert.equal(sums.length, 3)
  assert.deepEqual(
    sums.map(sum => sum === undefined),
    [true, false, false],
  )
})

test('an object that is there and locked is one whose key is taken, whichever the store looks at first', async () => {
  await using bucket = await openBucket(s3.endpoint, s3.credentials)
  await using faults = await S3Faults.start(s3.endpoint)
  const message = 'Access Denied because object protected by object lock.'
  const body = `<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`
  faults.order(/^PUT /, { kind: 'answer', status: 403, body, headers: { 'content-type': 'application/xml' } })
  const store = await open(`--storage=${bucket.url()}`, `--s3-endpoint=${faults.endpoint}`, '--s3-region=us-east-1')
  assert.deepEqual(await store.put('a/1', bodyOf('x'), {}), { created: false })
  store.close()
  assert.equal(faults.unused, 0)
})

test('a store that cannot lock or encrypt says so, and the hint names the flag', async () => {
  await using bucket = await openBucket()
  await using faults = await S3Faults.start(bucket.endpoint)
  const flags = [`--storage=${bucket.url()}`, `--s3-endpoint=${faults.endpoint}`, '--s3-region=us-east-1']
  const refused = async (fault: Parameters<typeof faults.order>[1] | undefined, ...wishes: string[]) => {
    if (fault !== undefined) faults.order(/^PUT /, fault)
    const store = await open(...flags, ...wishes)
    const error = (await store.put('a/b', bodyOf('x'), {}).catch((thrown: unknown) => thrown)) as Record<
      string,
      unknown
    >
    store.close()
    return `${String(error['code'])}: ${String(error['hint'])}`
  }
  const noLock: Parameters<typeof faults.order>[1] = {
    kind: 'answer',
    status: 400,
    body: '<Error><Code>InvalidRequest</Code><Message>Bucket is missing Object Lock Configuration</Message></Error>',
    headers: { 'content-type': 'application/xml' },
  }
  const lock = ['--object-lock=governance', '--retain=1d']
  assert.match(await refused(noLock, ...lock), /^STORAGE_REFUSED: create the bucket with object lock/)
  assert.match(await refused(s3ErrorAnswer(501, 'NotImplemented'), ...lock), /^STORAGE_REFUSED: .*--object-lock/)
  assert.match(await refused(s3ErrorAnswer(501, 'NotImplemented'), '--sse=AES256'), /^STORAGE_REFUSED: .*--sse/)
  assert.match(await refused(s3ErrorAnswer(403, 'AccessDenied'), ...lock), /^STORAGE_AUTH: .*s3:PutObjectRetention/)
  if (skipWithForeignS3 !== false) return
  // The real server, which knows neither: it must not look as if it did.
  assert.match(await refused(undefined, ...lock), /^STORAGE_REFUSED: .*object.lock/)
  assert.match(await refused(undefined, '--sse=aws:kms'), /^STORAGE_REFUSED: .*--sse/)
})

for (const [flags, kind, says] of [
  [['--object-lock=governance'], 's3', /for how long/],
  [['--retain=30d'], 's3', /locks nothing by itself/],
  [['--sse-kms-key-id=k'], 's3', /a key for KMS/],
  [['--sse-kms-key-id=k', '--sse=AES256'], 's3', /a key for KMS/],
  [['--object-lock=governance', '--retain=30d'], 'directory', /--object-lock means nothing to a folder/],
  [['--sse=AES256'], 'directory', /--sse means nothing/],
  [['--storage-class=STANDARD_IA'], 'directory', /--storage-class means nothing/],
] as const) {
  test(`${flags.join(' ')} is refused for ${kind}: a promise that nobody keeps is worse than none`, () => {
    const place = kind === 's3' ? { kind, bucket: 'b', prefix: '' } : ({ kind, folder: '/x' } as const)
    assert.throws(() => checkKeeping(optionsOf(keepingOptions, ...flags), place), { code: 'USAGE', message: says })
  })
}

for (const command of ['backup', 'groups-backup']) {
  test(`maxbrod ${command} asks its store for it, before it asks Kafka for anything`, async () => {
    const { exit, stderr } = await runCommand([
      command,
      '--storage=file:///nowhere',
      '--sse=AES256',
      '--metrics-port=0',
    ])
    assert.equal(exit, 2)
    assert.match(stderr, /--sse means nothing to a folder/)
  })
}
