import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { beginnings, placeOf, putAged } from '../helpers/aged-archive.ts'
import { runCommand } from '../helpers/in-process.ts'
import { assertSameDigests, RoundTrip } from '../helpers/round-trip.ts'
import { storeOf } from '../helpers/sound-archive.ts'
import { openWorld } from '../helpers/world.ts'
import type { World } from '../helpers/world.ts'
import { writeResults } from '../torture/write-results.ts'
import { openLockedBucket } from './locked-bucket.ts'
import { openKeeping } from './open-keeping.ts'
import { without } from './tools.ts'

type LockedBucket = Awaited<ReturnType<typeof openLockedBucket>>

const day = 24 * 3_600_000
const figures: Record<string, unknown> = {}

describe('object lock, at a server that enforces it', { skip: without('versitygw') }, () => {
  after(() => writeResults('object-lock.json', { server: 'versitygw', figures }))

  for (const mode of ['compliance', 'governance'] as const) {
    test(`--object-lock ${mode}: every object of a backup is locked, nobody destroys or shortens it, and it is verified and restored as ever`, async t => {
      await using world = await openWorld(t)
      await using bucket = await openLockedBucket({ hasVersions: true })
      const { topic, roundTrip } = await backUp(world, bucket, `--object-lock=${mode}`, '--retain=1d')
      const locks = await bucket.locks()
      for (const one of locks) {
        assert.equal(one.mode, mode.toUpperCase(), one.key)
        assert.ok(Math.abs(one.untilMs - Date.now() - day) < 600_000, `${one.key} until ${one.untilMs}`)
      }
      assertAllKinds(locks.map(({ key }) => key))

      const refusals = new Map<string, number>()
      const refused = (what: string) => refusals.set(what, (refusals.get(what) ?? 0) + 1)
      for (const one of locks) {
        const bytes = await bucket.bytesOf(one)
        assert.equal(await bucket.destroy(one), 'AccessDenied', one.key)
        refused('destroyed')
        if (mode === 'compliance') {
          assert.equal(await bucket.destroy(one, { bypass: true }), 'AccessDenied', one.key)
          assert.equal(await bucket.shorten(one, 'COMPLIANCE'), 'AccessDenied', one.key)
          refused('destroyed by an administrator')
        }
        assert.equal(await bucket.overwrite(one.key, { ifNew: true }), 'PreconditionFailed', one.key)
        refused('overwritten')
        assert.equal(await bucket.bytesOf(one), bytes, one.key)
      }
      figures[mode] = { objects: locks.length, refused: Object.fromEntries(refusals) }

      const { json: verified, exit } = await runCommand(['verify', ...bucket.flags])
      assert.deepEqual([exit, verified['findings']], [0, []])
      await roundTrip.plan()
      await roundTrip.restore()
      await assertSameDigests(world, topic, roundTrip.target(topic))
      if (mode === 'compliance') return
      // Whoever may lift governance can: that is what tells it from compliance.
      assert.equal(await bucket.destroy(locks[0]!, { bypass: true }), 'done')
    })
  }

  test('what the bucket locks by default is locked without the flags', async t => {
    await using world = await openWorld(t)
    await using bucket = await openLockedBucket({ hasVersions: true })
    await bucket.lockByDefault('COMPLIANCE', 2)
    await backUp(world, bucket)
    const versions = await bucket.versions()
    assertAllKinds(versions.map(({ key }) => key))
    for (const one of versions) assert.equal(await bucket.destroy(one), 'AccessDenied', one.key)
  })

  test('with versions prune hides what is locked, and all of it comes back by removing the markers and the record', async () => {
    await using bucket = await openLockedBucket({ hasVersions: true })
    const store = await agedArchive(bucket)
    const before = await beginnings(store)
    const pruned = await runCommand(['prune', '--keep=30d', '--yes', ...bucket.flags])
    assert.deepEqual([pruned.exit, pruned.json['deleted'], pruned.json['refused']], [0, 4, []], pruned.stderr)
    assert.deepEqual(await beginnings(store), { 'orders/0': [20, 30], 'orders/1': [20, 30] })
    assert.equal((await runCommand(['verify', ...bucket.flags])).exit, 0)
    const markers = await bucket.markers()
    assert.equal(markers.length, 4)
    // The bytes are still there, and stay.
    for (const { key } of markers)
      for (const one of (await bucket.versions()).filter(version => version.key === key))
        assert.equal(await bucket.destroy(one), 'AccessDenied', key)
    for (const one of markers) assert.equal(await bucket.destroy(one), 'done')
    const record = String(pruned.json['record'])
    assert.equal(await bucket.hide(`prod/${record}`), 'done')
    assert.deepEqual(await beginnings(store), before)
    const { exit, stdout } = await runCommand(['verify', ...bucket.flags])
    assert.equal(exit, 0, stdout)
    store.close()
  })

  test('without versions nothing overwrites what is locked, prune names what it could not remove and ends with 3, each time, and the backup is sound', async () => {
    await using bucket = await openLockedBucket({ hasVersions: false })
    const store = await agedArchive(bucket)
    const before = await beginnings(store)
    const file = 'orders/0/orders-0-0000000000000000000.avro'
    assert.equal(await bucket.overwrite(`prod/${file}`, { ifNew: false }), 'AccessDenied')
    const refused: number[] = []
    for (const isFirst of [true, false]) {
      const { exit, json, stderr } = await runCommand(['prune', '--keep=30d', '--yes', ...bucket.flags])
      assert.equal(exit, 3, stderr)
      assert.equal(typeof json['record'], isFirst ? 'string' : 'undefined')
      const named = json['refused'] as readonly { readonly key: string; readonly reason: string }[]
      assert.deepEqual([json['deleted'], named.length + Number(json['left'])], [0, 4])
      assert.ok(named.some(({ key }) => key === file))
      for (const { reason } of named) assert.match(reason, /AccessDenied.*lock/)
      refused.push(named.length)
      assert.deepEqual(await beginnings(store), before)
      const verified = await runCommand(['verify', ...bucket.flags])
      assert.equal(verified.exit, 0, verified.stdout)
    }
    figures['prune without versions'] = { refusedAtFirst: refused[0], refusedAgain: refused[1] }
    store.close()
  })
})

/** A topic and a group, in the bucket. */
async function backUp(world: World, bucket: LockedBucket, ...flags: string[]) {
  const topic = world.name('orders')
  const { referee, bootstrap } = world
  await referee.createTopic(topic, { partitions: 2 })
  await referee.generate(topic, { partitions: 2, records: 2_000, headers: [0, 3] })
  const run = (argv: readonly string[]) => {
    const own = bucket.flags.filter(flag => !flag.startsWith('--storage='))
    return runCommand([...argv, ...own])
  }
  const roundTrip = new RoundTrip(world, { storage: 's3://locked/prod', run })
  await roundTrip.backUp([topic], '--max-file-records=500', ...flags)
  const group = world.name('readers')
  await referee.commitOffsets(group, [{ topic, partition: 0, offset: 7 }])
  const groups = ['groups-backup', '--once', '--metrics-port=0', `--groups=${group}`]
  const { exit, stderr } = await runCommand([...groups, `--bootstrap-server=${bootstrap}`, ...bucket.flags, ...flags])
  assert.equal(exit, 0, stderr)
  return { topic, roundTrip }
}

/** Data files and everything beside them. */
function assertAllKinds(keys: readonly string[]): void {
  for (const kind of [/\.avro$/, /@cluster\//, /@topics\//, /@groups\//, /@points\//])
    assert.ok(
      keys.some(key => kind.test(key)),
      `${kind} is not among ${keys.join(' ')}`,
    )
  assert.ok(keys.filter(key => /\/\d+\/.*\.avro$/.test(key)).length > 2)
}

/** Four files of two partitions are old; all are locked for a day. */
async function agedArchive(bucket: LockedBucket) {
  const store = await storeOf([], await openKeeping(...bucket.flags, '--object-lock=compliance', '--retain=1d'))
  await putAged(store, placeOf('orders'), [50, 40, 20, 1])
  await putAged(store, placeOf('orders', 1), [50, 40, 20, 1])
  return store
}
