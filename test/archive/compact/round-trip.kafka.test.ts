import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../../helpers/in-process.ts'
import { canonicalBytes } from '../../helpers/records.ts'
import type { CanonicalRecord } from '../../helpers/records.ts'
import { RoundTrip } from '../../helpers/round-trip.ts'
import { openWorld } from '../../helpers/world.ts'

const byCompacted = ['--superseded', '--superseded-by-compacted', '--yes']

/** What a consumer holds that keeps the last value of each key, as Kafka Streams does; keys without a value are gone. */
function materialized(records: readonly CanonicalRecord[]): Map<string, string> {
  const table = new Map<string, string>()
  for (const { partition, key, value } of records) {
    const name = `${partition} ${key}`
    if (value === null) table.delete(name)
    else table.set(name, value)
  }
  return table
}

test('a compacted topic that is restored from what was compacted materializes to the same table, twice', async t => {
  await using world = await openWorld(t)
  const { referee, dice } = world
  const topic = world.name('users')
  const configs = { 'cleanup.policy': 'compact' }
  await referee.createTopic(topic, { partitions: 2, configs })
  const update = async (records: number) => {
    const some = Array.from({ length: records }, () => ({
      partition: dice.between(0, 1),
      key: `user-${dice.between(1, 60)}`,
      value: dice.between(0, 9) === 0 ? null : dice.bytes(dice.between(0, 200)),
      headers: [['n', dice.bytes(2)] as const],
    }))
    await referee.produce(topic, some)
  }
  const trip = new RoundTrip(world)
  await update(600)
  await trip.backUp([topic])
  const compact = async () => {
    const argv = ['compact', `--storage=${trip.storage}`, `--working-dir=${world.folder}/compact`]
    const { exit, json, stderr } = await runCommand(argv)
    assert.equal(exit, 0, stderr)
    const made = json['made'] as { topic: string; sources: { records: number }; files: { records: number } }[]
    assert.deepEqual(
      made.map(one => one.topic),
      [topic, topic],
      'found by its saved cleanup.policy',
    )
    return made.reduce((sum, { files }) => sum + files.records, 0)
  }
  const survivors = await compact()
  assert.ok(survivors > 0 && survivors <= 120, `${survivors} of 120 keys`)
  await update(50)
  // The commits of the first worker are not there for the second: it finds the files.
  await trip.backUp([topic])

  const { json } = await trip.plan('--use-compacted')
  assert.equal((json['compacted'] as unknown[]).length, 2)
  await trip.restore()
  const restored = await referee.records(trip.target(topic))
  assert.equal(restored.length, survivors + 50, 'the generation, and all that came after it')
  assert.deepEqual(materialized(restored), materialized(await referee.records(topic)))
  const last = restored[0]?.headers.at(-1)
  assert.equal(last?.[0], canonicalBytes('restore.source-offset'))

  // What comes later: another generation exists, and the plan goes on with originals.
  await update(80)
  await trip.backUp([topic])
  await compact()
  const again = await trip.plan('--use-compacted')
  assert.deepEqual(again.json['compacted'], [])
  await trip.restore()
  const more = await referee.records(trip.target(topic))
  assert.equal(more.length, survivors + 50 + 80)
  assert.deepEqual(materialized(more), materialized(await referee.records(topic)))

  // With the originals gone, a restore that is not asked to take what was compacted is no small thing.
  const pruned = await runCommand(['prune', `--storage=${trip.storage}`, ...byCompacted])
  assert.equal(pruned.exit, 0, pruned.stderr)
  assert.ok(Number(pruned.json['deleted']) >= 4, pruned.stdout)
  const common = [`--bootstrap-server=${world.bootstrap}`, `--storage=${trip.storage}`, `--topics=${topic}`]
  const blind = [
    'plan',
    `--plan-topic=${world.name('blind')}`,
    '--dry-run',
    '--create-topics',
    '--target-prefix=other.',
  ]
  const refused = await runCommand([...blind, ...common])
  assert.equal(refused.exit, 4, refused.stdout)
  const { code, hint } = refused.json['error'] as Record<string, string>
  assert.equal(code, 'TILING_HOLE')
  assert.match(hint!, /give --use-compacted to restore the latest record of each key/)
  const drilled = await runCommand(['drill', '--use-compacted', ...common])
  assert.equal(drilled.exit, 0, drilled.stderr)
})
