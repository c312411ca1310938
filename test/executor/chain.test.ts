import { Vitals } from '../../src/observe/vitals.ts'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tileKey } from '../../src/format/keys.ts'
import type { PlanFile } from '../../src/format/plan.ts'
import { ChainRestore } from '../../src/executor/chain.ts'
import { Targets } from '../../src/executor/targets.ts'
import { StallWatch } from '../../src/executor/stall-watch.ts'
import { troubleOf } from '../../src/executor/trouble.ts'
import type { GroupSession, Ownership } from '../../src/kafka/port/membership.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { silentProgress } from '../../src/observe/progress.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { unthrottled } from '../../src/runtime/throttle.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { FickleTarget, kind } from '../helpers/fickle-target.ts'
import type { Fickleness } from '../helpers/fickle-target.ts'
import { planHead } from '../helpers/planned.ts'
import { putTile } from '../helpers/put-tile.ts'
import type { DigestRecord } from '../helpers/records.ts'
import { Dice, testSeed } from '../helpers/seed.ts'

/** Time that passes when somebody waits for it: nothing here takes any. */
class HurriedClock implements Clock {
  #nowMs = 0
  now = (): number => this.#nowMs
  monotonic = (): number => this.#nowMs
  sleep(ms: number): Promise<void> {
    this.#nowMs += ms
    return new Promise(resolve => setImmediate(resolve))
  }
  every = (): Disposable => ({ [Symbol.dispose]: () => undefined })
}

const nothing = () => undefined
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing } as unknown as Logger

interface Scene {
  readonly target: FickleTarget
  readonly files: readonly PlanFile[]
  /** Source offsets in order. */
  readonly expected: readonly number[]
  readonly pool: CountingPool
  readonly done: number[]
  readonly budget: ByteBudget
  /** A chain as an executor that has just been started has it. */
  readonly newChain: () => ChainRestore
}

async function openScene(
  dice: Dice,
  fickleness: Fickleness,
  { logStart = 0, maxBatchBytes = dice.between(200, 3_000), bytes = 1_000_000, before = 0 } = {},
): Promise<Scene> {
  const clock = new HurriedClock()
  const store = newMemoryStore()
  const target = new FickleTarget('copy', dice, fickleness, { logStart, maxBatchBytes, before })
  const { files, expected } = await backUp(store, dice, before)
  const targets = new Targets(target.kafka(clock), [
    planHead({
      hold: 'off',
      targets: [{ topic: 'copy', topicId: target.topicId, created: true, finalConfigs: {}, baseOffsets: [logStart] }],
    }),
  ])
  const pool = new CountingPool()
  const done: number[] = []
  const budget = new ByteBudget(bytes)
  const ownership: Ownership = { topic: 'plan', partition: 0, ended: new AbortController().signal }
  const newChain = () => {
    const kafka = target.kafka(clock)
    const chain = new ChainRestore(
      { topic: 'copy', partition: 0 },
      {
        deps: {
          nearbyArchives: () => Promise.resolve([]),
          kafka,
          store,
          clock,
          random: { number: () => dice.number(), id: () => 'id' },
          log: quiet,
          metrics: new Metrics(),
          vitals: new Vitals(clock),
          progress: silentProgress,
          pool,
        },
        appender: kafka.newAppender(),
        session: { provenAtMs: Infinity } as GroupSession,
        ownership,
        stalls: new StallWatch(clock),
        throttle: unthrottled,
        targets,
        budget,
        maxRecordBytes: 1_000_000,
        onSent: nothing,
        onFileDone: file => done.push(file.index),
        onCount: nothing,
      },
    )
    for (const file of files) chain.add(file)
    return chain
  }
  return { target, files, expected, pool, done, budget, newChain }
}

/** Some files of some blocks of some records, with holes between the offsets, and empty files among them. */
async function backUp(
  store: ObjectStore,
  dice: Dice,
  before: number,
): Promise<{ files: PlanFile[]; expected: number[] }> {
  const files: PlanFile[] = before === 0 ? [] : [firstFile(before + 1)]
  const [{ records: there } = { records: 0 }] = files
  const expected: number[] = []
  let from = there + dice.between(0, 5)
  for (let index = files.length; files.length < 5; index++) {
    const count = dice.pick([0, 1, 7, 30, 60])
    const records = recordsFrom(from + dice.between(0, 2), count, dice)
    const to = from + count + dice.between(2, 5)
    const blockRecords = dice.between(1, 25)
    const blocks = Array.from({ length: Math.ceil(count / blockRecords) }, (_, n) =>
      records.slice(n * blockRecords, (n + 1) * blockRecords),
    )
    const { key, etag, bytes } = await putTile(store, place, { from, to }, blocks)
    files.push({
      kind: 'file',
      planId: 'p',
      source: { topic: 'orders', topicId: undefined, partition: 3 },
      target: { topic: 'copy', partition: 0 },
      object: { key, etag, bytes },
      covers: { from, to },
      records: count,
      recordsBefore: there + expected.length,
      lastOffset: count === 0 ? undefined : Number(records.at(-1)!.offset),
      slice: undefined,
      index,
    })
    expected.push(...records.map(({ offset }) => Number(offset)))
    from = to
  }
  return { files, expected }
}

const place = { topic: 'orders', topicId: undefined, partition: 3, lineage: undefined }

/** A file that is in the target, and gone from the store. */
function firstFile(records: number): PlanFile {
  return {
    kind: 'file',
    planId: 'p',
    source: { topic: 'orders', topicId: undefined, partition: 3 },
    target: { topic: 'copy', partition: 0 },
    object: { key: tileKey(place, 0), etag: 'gone', bytes: 1 },
    covers: { from: 0, to: records },
    records,
    recordsBefore: 0,
    slice: undefined,
    lastOffset: undefined,
    index: 0,
  }
}

function recordsFrom(from: number, count: number, dice: Dice): DigestRecord[] {
  const valueBytes = dice.between(1, 40)
  return Array.from({ length: count }, (_, n) => ({
    offset: BigInt(from + n),
    timestamp: 1_700_000_000_000n + BigInt(n),
    key: Buffer.from(`k${n}`),
    value: dice.bytes(valueBytes),
    headers: [],
  }))
}

/** Runs a chain as PlanRun does, with an executor that dies now and then; answers with what ended it. */
async function restore({ newChain }: Scene, dice: Dice, dies = 0): Promise<unknown> {
  let chain = newChain()
  for (let n = 0; n < 400; n++) {
    if (dice.number() < dies) chain = newChain()
    try {
      await chain.run()
      return undefined
    } catch (error) {
      if (troubleOf(error) !== 'try again') return error
    }
  }
  throw new Error('no end in sight')
}

const rough: Fickleness = { ...kind, lost: 0.08, unheard: 0.08, late: 0.08, refused: 0.08 }
const runs = 60

describe('whatever becomes of requests, a target has each record once and in order', () => {
  const cases = [
    ['when all goes well', kind],
    ['lost requests and lost answers, late requests, refusals', rough],
    ['a log that loses its tail', { ...rough, late: 0, truncates: 0.02 }],
    ['producers that are forgotten while nothing is late', { ...rough, late: 0, forgets: 0.2 }],
  ] as const
  for (const [title, fickleness] of cases) {
    test(title, async () => {
      for (let n = 0; n < runs; n++) {
        const dice = new Dice(`${title} ${n}`)
        const scene = await openScene(dice, fickleness, { logStart: dice.pick([0, 0, 1_000]) })
        const error = await restore(scene, dice, 0.2)
        const { sourceOffsets, history } = scene.target
        assert.equal(error, undefined, `TEST_SEED=${testSeed} ${n}: ${history.join()}`)
        assert.deepEqual(sourceOffsets, scene.expected, `TEST_SEED=${testSeed} ${n}: ${history.join()}`)
      }
    })
  }
})

describe('what cannot be prevented is never silent', () => {
  const cases = [
    ['late requests to a broker that has forgotten the producer', { ...rough, late: 0.15, forgets: 0.3 }],
    ['another producer', { ...rough, intrudes: 0.02 }],
  ] as const
  for (const [title, fickleness] of cases) {
    test(title, async () => {
      let spoiled = 0
      for (let n = 0; n < runs * 2; n++) {
        const dice = new Dice(`${title} ${n}`)
        const scene = await openScene(dice, fickleness)
        const error = await restore(scene, dice, 0.1)
        const { sourceOffsets, history, logStart } = scene.target
        const where = `TEST_SEED=${testSeed} ${n}: ${history.join()} → ${String(error)}`
        const firstWrong = sourceOffsets.findIndex((offset, at) => offset !== scene.expected[at])
        if (error === undefined) {
          assert.deepEqual(sourceOffsets, scene.expected, where)
          continue
        }
        assert.ok(isMaxbrodError(error, 'TARGET_SPOILED'), where)
        assert.ok(firstWrong >= 0, `nothing is wrong: ${where}`)
        assert.ok(Number(error.facts['offset']) >= logStart + firstWrong, where)
        spoiled++
      }
      assert.ok(spoiled > 0, 'the case was never met')
    })
  }
})

test('behind 2^31 records the sequence goes on from zero, also in the middle of a batch, whatever becomes of requests', async () => {
  let wrapped = 0
  for (let n = 0; n < 30; n++) {
    const dice = new Dice(`wrap ${n}`)
    const there = 2 ** 31 - dice.between(1, 60)
    const scene = await openScene(dice, { ...rough, late: 0, forgets: 0.05 }, { before: there - 1 })
    scene.target.preload([there - 1]) // the last of those that are there
    const error = await restore(scene, dice, 0.2)
    const { sourceOffsets, history, hasWrapped } = scene.target
    assert.equal(error, undefined, `TEST_SEED=${testSeed} ${n}: ${history.join()}`)
    assert.deepEqual(sourceOffsets, [there - 1, ...scene.expected], `TEST_SEED=${testSeed} ${n}: ${history.join()}`)
    if (hasWrapped) wrapped++
  }
  assert.ok(wrapped > 0, 'no batch ended behind zero')
})

test('a chain stops at the first batch that is put where it does not belong', async () => {
  let met = 0
  for (let n = 0; n < 60; n++) {
    const dice = new Dice(`stops ${n}`)
    const scene = await openScene(dice, { ...kind, intrudes: 0.03 }, { maxBatchBytes: 200 })
    const error = await restore(scene, dice)
    const intruder = scene.target.sourceOffsets.indexOf(null)
    if (error === undefined || intruder < 0) continue
    const behind = scene.target.batchesFrom(scene.target.logStart + intruder)
    assert.ok(behind <= 1, `TEST_SEED=${testSeed} ${n}: ${behind} batches behind the intruder`)
    met += behind
  }
  assert.ok(met > 0, 'the case was never met')
})

for (const [title, wrong] of [
  ['before the next file is begun', 2],
  ['before a chain is called complete', 4],
] as const) {
  test(`the last record of a file must be the right one ${title}`, async () => {
    for (let n = 0; n < 20; n++) {
      const dice = new Dice(`border ${n}`)
      const scene = await openScene(dice, kind)
      const file = scene.files.slice(0, wrong + 1).findLast(({ records }) => records > 1)
      if (file === undefined) continue
      const there = scene.expected.slice(0, file.recordsBefore + file.records)
      const last = there.length - 1
      // One record is there twice, and the last one is missing.
      scene.target.preload([...there.slice(0, last), there[last - 1]!])
      const error = await restore(scene, dice)
      assert.ok(isMaxbrodError(error, 'TARGET_SPOILED'), String(error))
      assert.equal(error.facts['offset'], last)
      assert.equal(scene.target.log.length, there.length, 'something was added')
    }
  })
}

test('buffers are given back once each, but for those that a socket may still refer to', async () => {
  for (let n = 0; n < 40; n++) {
    const dice = new Dice(`buffers ${n}`)
    const scene = await openScene(dice, rough)
    await restore(scene, dice)
    const unanswered = scene.target.history.filter(what => ['lost', 'late', 'unheard'].includes(what)).length
    assert.equal(scene.pool.taken, unanswered, `TEST_SEED=${testSeed} ${n}`)
    assert.equal(scene.budget.usedBytes, 0)
  }
})

test('each file is reported as done once, in order, whatever happened on the way', async () => {
  for (let n = 0; n < 40; n++) {
    const dice = new Dice(`done ${n}`)
    const scene = await openScene(dice, { ...rough, truncates: 0.02, late: 0 })
    await restore(scene, dice)
    assert.deepEqual(scene.done, [0, 1, 2, 3, 4])
  }
})

test('a chain needs little room: one block at a time is enough', async () => {
  const dice = new Dice('room')
  const scene = await openScene(dice, rough, { bytes: 1 })
  assert.equal(await restore(scene, dice), undefined)
  assert.deepEqual(scene.target.sourceOffsets, scene.expected)
})

test('a record that the target refuses stops its chain exactly before it, and is named', async () => {
  for (let n = 0; n < 30; n++) {
    const dice = new Dice(`refused ${n}`)
    const scene = await openScene(dice, kind)
    if (scene.expected.length === 0) continue
    const at = dice.between(0, scene.expected.length - 1)
    const file = scene.files.find(({ recordsBefore, records }) => at < recordsBefore + records)!
    // The same time stands in other files, too: the first one counts.
    scene.target.refusedTimestamp = 1_700_000_000_000n + BigInt(at - file.recordsBefore)
    const first = scene.files.find(({ records }) => records > at - file.recordsBefore)!
    const before = first.recordsBefore + at - file.recordsBefore
    const error = await restore(scene, dice)
    assert.ok(isMaxbrodError(error, 'TARGET_REFUSED'), String(error))
    assert.deepEqual(scene.target.sourceOffsets, scene.expected.slice(0, before))
    assert.equal(error.facts['firstOffset'], scene.expected[before])
  }
})

test('a file that is not the next one is refused', async () => {
  const scene = await openScene(new Dice('order'), kind)
  const chain = scene.newChain()
  assert.throws(() => chain.add(scene.files[1]!), { code: 'PLAN_CORRUPT' })
})

test('a target that takes nothing for a while is given up aloud, and tried again later', async () => {
  const dice = new Dice('stuck')
  let scene = await openScene(dice, { ...kind, refused: 1 })
  while (scene.expected.length === 0) scene = await openScene(dice, { ...kind, refused: 1 })
  await assert.rejects(scene.newChain().run(), error => {
    assert.ok(isMaxbrodError(error, 'KAFKA_GAVE_UP'), String(error))
    assert.match(error.message, /copy-0 takes no records: NOT_(LEADER_OR_FOLLOWER|ENOUGH_REPLICAS)/)
    return troubleOf(error) === 'try again'
  })
  assert.equal(scene.pool.taken, 0)
  assert.equal(scene.budget.usedBytes, 0)
})
