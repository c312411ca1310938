import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { WorkerContext } from '../../src/backup/deps.ts'
import { rescueGone } from '../../src/backup/rescue/rescue-spool.ts'
import type { SpoolOnly } from '../../src/backup/rescue/spool-only.ts'
import { saySpoolOnly } from '../../src/backup/rescue/spool-only.ts'
import { SpoolSweep } from '../../src/backup/rescue/sweep-spool.ts'
import { openSpool } from '../../src/backup/spool/spool.ts'
import { noTopicRules } from '../../src/backup/topics/topic-rules.ts'
import type { TopicDescription } from '../../src/kafka/port/admin.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { proveByCatalog } from '../helpers/catalog-proof.ts'
import { logToRead } from '../helpers/log-lines.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { openChain } from '../helpers/open-chain.ts'
import { identity, place, putTile, tileFile } from '../helpers/tile-files.ts'

const HOUR_MS = 60 * 60_000
const never = new AbortController().signal
const described = (topicId: string): TopicDescription => ({
  name: 'orders',
  topicId,
  isInternal: false,
  partitions: 4,
  replicationFactor: 1,
  error: undefined,
})

/** A worker whose spool holds the offsets 10 to 40 of orders-3, in 30 records; files of what lies before are the test's to put. */
async function openScene(closed: readonly number[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-sweep-'))
  const deaf = { ...newMemoryStore(), put: () => new Promise<never>(() => undefined) }
  {
    await using opened = await openChain(deaf, { spoolFolder: folder, resume: { chainEnd: 10, origin: 0 } })
    for (const to of [20, 30, 40]) await (closed.includes(to) ? opened.readTile(to) : opened.read(to))
    await opened.leave()
  }
  const state = { topics: [described(identity.topicId)], isKafkaDown: false, putsUntilDown: Infinity }
  const memory = newMemoryStore()
  const { log, lines } = logToRead()
  const clock = new ManualClock()
  const context = {
    log,
    clock,
    disk: nodeDisk,
    random: systemRandom,
    rules: noTopicRules,
    writer: 'a test',
    seal: undefined,
    archive: { archiveId: 'ours', clusterId: identity.clusterId },
    store: {
      ...memory,
      put: (...args: Parameters<typeof memory.put>) =>
        state.putsUntilDown-- <= 0
          ? Promise.reject(new MaxbrodError('STORAGE_UNREACHABLE', 'it is down'))
          : memory.put(...args),
    },
    kafka: {
      admin: {
        topics: async () => {
          if (state.isKafkaDown) throw new MaxbrodError('KAFKA_UNREACHABLE', 'it is down')
          return state.topics
        },
      },
    },
    spool: await openSpool(folder, { disk: nodeDisk, clock, log }, { groupId: 'maxbrod', maxOpenFiles: 8 }),
  } as unknown as WorkerContext
  const stuck: SpoolOnly[] = []
  const sweep = new SpoolSweep(context, one => void stuck.push(one), never)
  return {
    state,
    context,
    stuck,
    memory,
    files: () => readdir(folder),
    warnings: () => lines().filter(({ level }) => level !== 'debug' && level !== 'info'),
    spans: async () => ((await proveByCatalog(memory)).get('orders/3/') ?? []).map(({ from, to }) => [from, to]),
    /** Lets time pass, and the worker look. */
    async after(ms: number) {
      clock.advance(ms)
      sweep.tick()
      await sweep.settled()
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

test('what was left of a partition that went elsewhere is kept for an hour, in case it comes back, and then removed', async () => {
  await using scene = await openScene()
  await scene.after(HOUR_MS - 1)
  assert.equal((await scene.files()).length, 2)
  await scene.after(1)
  assert.deepEqual([await scene.files(), scene.context.spool.heads, scene.warnings()], [[], [], []])
})

test('what was left of a topic that is deleted meanwhile is uploaded behind its files, before it is removed', async () => {
  await using scene = await openScene()
  await putTile(scene.memory, await tileFile(0, 10))
  scene.state.topics = []
  await scene.after(HOUR_MS)
  assert.deepEqual(await scene.spans(), [
    [0, 10],
    [10, 40],
  ])
  assert.deepEqual([await scene.files(), scene.stuck, scene.warnings()], [[], [], []])
})

test('what was left of a deleted topic and cannot be uploaded is told with its range and count, and kept until it can be', async () => {
  for (const [end, only] of [
    [0, { from: 10, to: 40, records: 30 }],
    [5, { from: 10, to: 40, records: 30 }],
    [25, { from: 25, to: 40, records: 20 }],
  ] as const) {
    await using scene = await openScene()
    if (end > 0) await putTile(scene.memory, await tileFile(0, end, { origin: 0 }))
    scene.state.topics = []
    await scene.after(HOUR_MS)
    assert.equal((await scene.files()).length, 2)
    const [warning, ...more] = scene.warnings()
    assert.deepEqual(more, [])
    assert.match(warning!.message, /^the topic was deleted, and .* cannot be added to its files: it is kept$/)
    const told = { topic: 'orders', partition: 3, ...only, reason: warning!['reason'] }
    assert.deepEqual(scene.stuck, [told])
    for (const [fact, value] of Object.entries(told)) assert.equal(warning![fact], value, fact)
    assert.match(
      saySpoolOnly(scene.stuck[0]!),
      new RegExp(`^orders-3: .* ${only.records} records at the offsets ${only.from} … 39 `),
    )
    await scene.after(HOUR_MS)
    assert.deepEqual([(await scene.files()).length, scene.stuck.length], [2, 2])
    if (end === 25) continue
    await putTile(scene.memory, await tileFile(end, 10, { origin: 0 }))
    await scene.after(HOUR_MS)
    assert.deepEqual((await scene.spans()).at(-1), [10, 40])
    assert.deepEqual([await scene.files(), scene.stuck.length], [[], 2])
  }
})

test('what the store has by others is removed without a warning', async () => {
  await using scene = await openScene()
  await putTile(scene.memory, await tileFile(0, 50))
  scene.state.topics = []
  await scene.after(HOUR_MS)
  assert.deepEqual([await scene.files(), scene.stuck, scene.warnings()], [[], [], []])
})

test('while Kafka or the store does not answer, what was left is kept, with a warning, and tried again', async () => {
  await using scene = await openScene()
  await putTile(scene.memory, await tileFile(0, 10))
  scene.state.topics = []
  scene.state.isKafkaDown = true
  await scene.after(HOUR_MS)
  scene.state.isKafkaDown = false
  scene.state.putsUntilDown = 0
  await scene.after(HOUR_MS)
  assert.equal((await scene.files()).length, 2)
  assert.deepEqual(
    scene.warnings().map(({ message, reason }) => [message.split('; ').at(-1), reason]),
    [
      ['it is kept', 'it is down'],
      ['it is kept', 'it is down'],
    ],
  )
  scene.state.putsUntilDown = Infinity
  await scene.after(HOUR_MS)
  assert.deepEqual((await scene.spans()).at(-1), [10, 40])
  assert.deepEqual([await scene.files(), scene.stuck, scene.warnings().length], [[], [], 2])
})

test('of several files, those that were uploaded before the store failed are not asked for again', async () => {
  await using scene = await openScene([20, 30, 40])
  await putTile(scene.memory, await tileFile(0, 10))
  scene.state.topics = []
  scene.state.putsUntilDown = 2 // whose folder it is, and the first file
  await scene.after(HOUR_MS)
  assert.deepEqual((await scene.spans()).at(-1), [10, 20])
  assert.equal((await scene.files()).length, 4)
  scene.state.putsUntilDown = Infinity
  await scene.after(HOUR_MS)
  assert.deepEqual((await scene.spans()).slice(-2), [
    [20, 30],
    [30, 40],
  ])
  assert.deepEqual([await scene.files(), scene.stuck, scene.warnings().length], [[], [], 1])
})

test('a partition of a topic that was created again takes nothing of the old one, which is uploaded later', async () => {
  await using scene = await openScene()
  await putTile(scene.memory, await tileFile(0, 10))
  const another = { ...identity, archiveId: 'ours', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }
  scene.state.topics = [described(another.topicId)]
  const taken = await scene.context.spool.take(place, another, { from: 10, limit: Infinity, leaderEpoch: 7 })
  assert.deepEqual([taken, (await scene.files()).length], [[], 2])
  await scene.after(HOUR_MS)
  assert.deepEqual((await scene.spans()).at(-1), [10, 40])
  assert.deepEqual(await scene.files(), [])
})

test('at the start, what cannot be uploaded of a deleted topic is told and kept, and what can be is nobody else’s any more', async () => {
  await using scene = await openScene()
  scene.state.topics = []
  const missing = await rescueGone(scene.context.spool, scene.context, never)
  assert.deepEqual(
    missing.map(({ from, to, records }) => [from, to, records]),
    [[10, 40, 30]],
  )
  assert.match(scene.warnings()[0]!.message, /it is kept$/)
  assert.equal((await scene.files()).length, 2)
  scene.state.putsUntilDown = 0
  assert.equal((await rescueGone(scene.context.spool, scene.context, never)).length, 1)
  scene.state.putsUntilDown = Infinity
  await putTile(scene.memory, await tileFile(0, 10))
  assert.deepEqual(await rescueGone(scene.context.spool, scene.context, never), [])
  assert.deepEqual((await scene.spans()).at(-1), [10, 40])
  assert.deepEqual([await scene.files(), scene.context.spool.heads], [[], []])
})
