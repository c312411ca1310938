import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compactedTopic } from '../helpers/referee-types.ts'
import { GroupsScene, offsetsOf, openGroupsScene } from '../helpers/groups-scene.ts'
import { ok } from '../helpers/restore-scene.ts'

type Kind = 'plain' | 'compacted' | 'transactional'
type Naming = 'renamed' | 'prefixed' | 'same'

const KINDS: readonly Kind[] = ['plain', 'compacted', 'transactional']

/** A topic of three partitions, the second of which stays empty. */
async function write(scene: GroupsScene, kind: Kind): Promise<string> {
  const { referee } = scene.world
  const topic = scene.world.name(kind)
  await referee.createTopic(topic, { partitions: 3, configs: kind === 'compacted' ? compactedTopic : {} })
  const records = (from: number, count: number, keyed = true) =>
    Array.from({ length: count }, (_, n) => ({
      partition: 0,
      key: keyed && n % 4 > 0 ? `k${n % 7}` : `unique ${from + n}`,
      value: `${from + n}`,
      timestamp: Date.now() - 30 * 24 * 3_600_000 + from + n,
    }))
  if (kind === 'transactional') {
    const producer = await referee.openProducer(`p-${topic}`, { transactionalId: `t-${topic}` })
    for (let n = 0; n < 6; n++) {
      await producer.begin()
      await producer.send(topic, records(n * 5, 5))
      await (n === 2 ? producer.abort() : producer.commit())
    }
    await producer.close()
    await referee.awaitStable(topic)
  } else {
    await referee.produce(topic, records(0, 30, kind === 'compacted'))
    if (kind === 'compacted') {
      // Another segment, so that the cleaner takes what lies in the first one.
      await referee.produce(topic, [{ partition: 0, key: 'last', value: 'last', timestamp: Date.now() }])
      await referee.waitCompacted(topic, 0, 16)
    }
  }
  await referee.produce(topic, [{ partition: 2, key: 'k', value: 'of another partition' }])
  return topic
}

/** Where groups stand: name and offset. */
async function positionsIn(scene: GroupsScene, topic: string): Promise<Map<string, number>> {
  const { referee } = scene.world
  const records = (await referee.records(topic))
    .filter(({ partition }) => partition === 0)
    .map(one => Number(one.offset))
  const end = Number((await referee.offsets(topic))[0]!.end)
  const first = records[0]!
  const last = records.at(-1)!
  const gap = Array.from({ length: end }, (_, n) => n).filter(n => n > first && n < last && !records.includes(n))
  return new Map<string, number>([
    ['zero', 0],
    ['first', first],
    ['middle', records[Math.floor(records.length / 2)]!],
    ...(gap.length === 0
      ? []
      : ([
          ['gap', gap[0]!],
          ['lastgap', gap.at(-1)!],
        ] as const)),
    ['last', last],
    ['behind', last + 1],
    ['end', end],
    ['beyond', end + 500],
  ])
}

test('groups at every position of a topic go on with the record that they would have read next, whatever it is called now', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const sources = new Map<Kind, string>()
  for (const kind of KINDS) sources.set(kind, await write(scene, kind))
  const gone = await scene.source('gone', 3)
  const shrunk = await scene.source('shrunk', 3, { partitions: 2 })
  const expected = new Map<string, { topic: string; saved: number; value: string | null }>()
  for (const [kind, topic] of sources) {
    const records = (await referee.records(topic)).filter(({ partition }) => partition === 0)
    for (const [position, saved] of await positionsIn(scene, topic)) {
      const group = scene.group(`${kind}-${position}`)
      const next = records.find(({ offset }) => Number(offset) >= saved)?.value ?? null
      const value = next === null ? null : Buffer.from(next, 'hex').toString()
      expected.set(group, { topic, saved, value })
      await referee.commitOffsets(group, [
        { topic, partition: 0, offset: saved, metadata: `meta of ${position} 📏`, leaderEpoch: 0 },
        { topic, partition: 1, offset: 0 },
      ])
    }
  }
  const plain = sources.get('plain')!
  const lost = scene.group('lost')
  await referee.commitOffsets(lost, [
    { topic: gone, partition: 0, offset: 2 },
    { topic: plain, partition: 2, offset: 0 },
    { topic: shrunk, partition: 1, offset: 1 },
  ])
  const idle = await referee.openConsumer(scene.group('idle'), [plain])
  await idle.close()
  ok(await scene.backUpGroups())
  await scene.backUp(...sources.values())
  await referee.deleteTopic(gone)

  for (const naming of ['prefixed', 'renamed', 'same'] as const satisfies readonly Naming[]) {
    const target = (topic: string) =>
      naming === 'same' ? topic : naming === 'prefixed' ? `copy.${topic}` : `${topic}.renamed`
    const names =
      naming === 'same'
        ? []
        : naming === 'prefixed'
          ? ['--target-prefix=copy.']
          : [...sources.values(), shrunk].map(topic => `--rename=${topic}=${target(topic)}`)
    const beside = new GroupsScene(scene.world, naming)
    // Which takes away what the groups had committed for them.
    if (naming === 'same') for (const topic of [...sources.values(), shrunk]) await referee.deleteTopic(topic)
    await referee.createTopic(target(shrunk), { partitions: 1 })
    const selection = [...sources.values()].map(topic => `--topics=${topic}`)
    const planned = names.filter(flag => !flag.includes(shrunk))
    ok(await beside.plan([...selection, '--create-topics', ...planned]))
    ok(await beside.restore())

    // What the plan says of names holds; given ones say the same.
    const dry = await beside.restoreGroups(naming === 'renamed' ? names : [])
    assert.equal(dry.exit, 3, dry.stderr)
    const [some = ''] = expected.keys()
    const before = await referee.groupOffsets(some)
    assert.ok(!before.some(({ topic }) => topic === target(plain)), 'a dry run commits nothing')
    const done = await beside.restoreGroups(['--execute', ...names])
    assert.equal(done.exit, 3, done.stderr)
    assert.deepEqual(offsetsOf(done), offsetsOf(dry))

    const rows = offsetsOf(done)
    const looks = [...expected].map(async ([group, { topic, saved, value }]) => {
      const row = rows.find(one => one.group === group && one.partition === 0)!
      assert.equal(row.saved, saved)
      const [main, empty] = await referee.nextRecords(group, [
        { topic: target(topic), partition: 0 },
        { topic: target(topic), partition: 1 },
      ])
      assert.deepEqual([group, main!.kind, main!.value ?? null], [group, value === null ? 'end' : 'record', value])
      assert.equal(empty!.kind, 'end', `${group}: the empty partition`)
      const sourceOffset = Number(main!.sourceOffset ?? -1)
      const isBeyond = group.includes('-beyond')
      assert.equal(
        row.verdict,
        value === null
          ? isBeyond
            ? 'clamped'
            : 'tip'
          : sourceOffset === saved
            ? 'exact'
            : group.includes('-zero')
              ? 'before-data'
              : 'next-after-gap',
        `${group}: ${row.reason}`,
      )
      if (isBeyond) assert.match(row.reason, /^\+500:/)
      const all = await referee.groupOffsets(group)
      const committed = all.find(one => one.topic === target(topic) && one.partition === 0)!
      const position = group.slice(group.indexOf('-') + 1, -7)
      assert.deepEqual([committed.metadata, committed.leaderEpoch], [`meta of ${position} 📏`, null])
      assert.equal(rows.find(one => one.group === group && one.partition === 1)!.verdict, 'tip')
    })
    await Promise.all(looks)
    const missing = rows.filter(({ group }) => group === lost)
    assert.deepEqual(Object.fromEntries(missing.map(row => [row.topic, row.verdict])), {
      [gone]: 'topic-missing',
      [plain]: 'exact',
      [shrunk]: 'topic-missing',
    })
    assert.match(missing.find(({ topic }) => topic === shrunk)!.reason, /has 1 partitions/)
    assert.ok(!rows.some(({ group }) => group === scene.group('idle')), 'what was never committed has no row')
    assert.ok([...expected.keys()].some(group => group.includes('transactional-gap')))
    assert.ok([...expected.keys()].some(group => group.includes('compacted-gap')))

    const again = await beside.restoreGroups(['--execute', ...names])
    assert.deepEqual([again.exit, offsetsOf(again)], [3, rows], 'a second run changes nothing')
  }
})
