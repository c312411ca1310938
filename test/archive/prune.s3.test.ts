import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { beginnings, placeOf, putAged } from '../helpers/aged-archive.ts'
import { Cli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand } from '../helpers/in-process.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import type { Fault } from '../helpers/s3-faults.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { storeOf } from '../helpers/sound-archive.ts'

const many = /^POST .*[?&]delete/
const left = { 'orders/0': [20, 30], 'orders/1': [20, 30] }

/** An archive below a prefix of a bucket, where four files are old, behind a proxy for faults. */
async function openArchive() {
  const stack = new AsyncDisposableStack()
  const bucket = stack.use(await openBucket())
  const faults = stack.use(await S3Faults.start(bucket.endpoint))
  const options = { ...bucket.options, prefix: 'shop/a b+c' }
  const store = await storeOf([], openS3Store(options))
  stack.defer(() => store.close())
  await putAged(store, placeOf('orders'), [50, 40, 20, 1])
  await putAged(store, placeOf('orders', 1), [50, 40, 20, 1])
  const flags = [`--storage=${bucket.url('shop/a b+c')}`, `--s3-endpoint=${faults.endpoint}`, '--s3-region=us-east-1']
  return {
    store,
    options,
    faults,
    flags,
    prune: () => runCommand(['prune', '--keep=30d', '--yes', ...flags]),
    async assertSound() {
      const { exit, stdout } = await runCommand(['verify', ...flags])
      assert.equal(exit, 0, stdout)
    },
    async [Symbol.asyncDispose]() {
      const { unused } = faults
      await stack.disposeAsync()
      assert.equal(unused, 0, 'a fault that never fired proved nothing')
    },
  }
}

/** Says of objects that they were not deleted, and of others that they were. Nothing is: the server never sees the request. */
function telling(code: string, refused: readonly string[], deleted: readonly string[] = []): Fault {
  const errors = refused.map(
    key => `<Error><Key>${key}</Key><Code>${code}</Code><Message>as the test wants</Message></Error>`,
  )
  const body = `<?xml version="1.0" encoding="UTF-8"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${errors.join('')}${deleted.map(key => `<Deleted><Key>${key}</Key></Deleted>`).join('')}</DeleteResult>`
  return { kind: 'answer', status: 200, body, headers: { 'content-type': 'application/xml' } }
}

const old = [0, 1].flatMap(partition =>
  [0, 10].map(from => `orders/${partition}/orders-${partition}-${String(from).padStart(19, '0')}.avro`),
)
const named = old.map(key => `shop/a b+c/${key}`)

test('on S3 prune asks for many at once, again when the store fails for the moment, and what was lost does not matter', async () => {
  await using archive = await openArchive()
  const { faults, store } = archive
  faults.order(/^GET .*list-type=2/, s3ErrorAnswer(500, 'InternalError'))
  faults.order(/^GET .*avro/, { kind: 'cut answer', atByte: 100 })
  faults.order(/^PUT .*prunes/, { kind: 'lost answer' })
  faults.order(many, s3ErrorAnswer(503, 'SlowDown'))
  faults.order(many, telling('InternalError', named.slice(0, 1)))
  faults.order(many, { kind: 'lost answer' })
  const { exit, json, stderr } = await archive.prune()
  assert.equal(exit, 0, stderr)
  assert.deepEqual([json['deleted'], json['refused']], [4, []])
  assert.equal(faults.seen.filter(line => many.test(line)).length, 4)
  assert.deepEqual(await beginnings(store), left)
  assert.equal((await Array.fromAsync(store.list('@prunes/'))).length, 1)
  await archive.assertSound()
})

test('what S3 does not let go is named, with exit code 3, and goes with the next run', async () => {
  await using archive = await openArchive()
  const { faults, store } = archive
  const [key] = old
  faults.order(many, telling('AccessDenied', named.slice(0, 1), named.slice(1)))
  const { exit, json } = await archive.prune()
  assert.equal(exit, 3)
  assert.deepEqual(json['refused'], [{ key, reason: 'AccessDenied: as the test wants' }])
  await archive.assertSound()
  const again = await archive.prune()
  assert.deepEqual([again.exit, again.json['record'], again.json['leftovers']], [0, undefined, 4])
  assert.deepEqual(await beginnings(store), left)
})

test('an answer of S3 that says nothing of an object does not count for it: it is asked again, and what stays is named', async () => {
  await using archive = await openArchive()
  const { faults, store } = archive
  const nothing: Fault = { kind: 'answer', status: 200 }
  faults.order(many, nothing)
  faults.order(many, telling('', [], named.slice(0, 1)))
  const { exit, json, stderr } = await archive.prune()
  assert.equal(exit, 0, stderr)
  assert.deepEqual([json['deleted'], json['refused']], [4, []])
  assert.deepEqual(await beginnings(store), left)

  // What was missing before need not be named, and what is there for ever is told.
  const direct = openS3Store({ ...archive.options, endpoint: faults.endpoint })
  await putAged(store, placeOf('more'), [50, 40])
  faults.order(many, nothing, 2)
  assert.deepEqual(await direct.deleteAll(old), [])
  const more = (await Array.fromAsync(store.list('more/'))).map(({ key }) => key)
  await assert.rejects(direct.deleteAll([...old, ...more]), {
    code: 'STORAGE_UNREACHABLE',
    message: /more-0-0{19}.avro .*1 others/,
  })
  assert.deepEqual(await beginnings(store), { ...left, 'more/0': [0, 10] })
  direct.close()
})

test('a prune whose clock is a year ahead of that of S3 gives nothing up: exit code 6', async () => {
  await using archive = await openArchive()
  const aheadMs = 365 * 24 * 3_600_000
  const ports = (real: Ports) => ({ ...real, clock: { ...real.clock, now: () => real.clock.now() + aheadMs } })
  for (const yes of [['--yes'], []]) {
    const { exit, json } = await runCommand(['prune', '--keep=30d', ...yes, ...archive.flags], ports)
    assert.deepEqual([exit, (json['error'] as { code: string }).code], [6, 'CLOCK_AHEAD'])
  }
  assert.deepEqual((await Array.fromAsync(archive.store.list('@prunes/'))).length, 0)
  assert.equal((await archive.prune()).exit, 0)
  assert.deepEqual(await beginnings(archive.store), left)
})

test('a store that knows no request for many is asked for each', async () => {
  await using archive = await openArchive()
  const { faults, store } = archive
  faults.order(many, s3ErrorAnswer(501, 'NotImplemented'))
  faults.order(/^DELETE .*orders-0-/, s3ErrorAnswer(503, 'SlowDown'))
  const { exit, json, stderr } = await archive.prune()
  assert.equal(exit, 0, stderr)
  assert.equal(json['deleted'], 4)
  assert.deepEqual(await beginnings(store), left)
})

test('a prune without the right to delete changes nothing but its record, and says which right it lacks', async () => {
  await using archive = await openArchive()
  const { faults, store } = archive
  const before = await beginnings(store)
  faults.order(many, s3ErrorAnswer(403, 'AccessDenied'))
  const { exit, stderr } = await archive.prune()
  assert.equal(exit, 12)
  assert.match(stderr, /s3:DeleteObject/)
  assert.deepEqual(await beginnings(store), before)
  await archive.assertSound()
  assert.equal((await archive.prune()).exit, 0)
  assert.deepEqual(await beginnings(store), left)
})

test('a prune that is killed while S3 deletes leaves a sound backup, and the next one finishes it', async () => {
  await using archive = await openArchive()
  const { faults, store, flags } = archive
  faults.order(many, { kind: 'stalled answer', atByte: 0 })
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env
  const env = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }
  const killed = new Cli(['prune', '--keep=30d', '--yes', ...flags], { env })
  await eventually('the store is asked to delete', () => faults.unused === 0)
  killed.process.kill('SIGKILL')
  assert.equal((await killed.result).exit, 'SIGKILL')
  await archive.assertSound()
  assert.equal((await archive.prune()).exit, 0)
  assert.deepEqual(await beginnings(store), left)
})

test('lifecycle rules are printed as the AWS command line takes them, and nothing is changed', async () => {
  await using archive = await openArchive()
  const before = archive.faults.seen.length
  const { exit, json } = await runCommand(['prune', '--keep=30d', '--print-lifecycle', ...archive.flags])
  assert.equal(exit, 0)
  const { Rules: rules } = json['lifecycle'] as { Rules: { Filter: { Prefix: string } }[] }
  assert.deepEqual(
    rules.map(({ Filter }) => Filter.Prefix),
    ['shop/a b+c/orders/', 'shop/a b+c/orders@'],
  )
  assert.ok(archive.faults.seen.slice(before).every(line => line.startsWith('GET ')))
})
