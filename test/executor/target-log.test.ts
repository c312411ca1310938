import { Vitals } from '../../src/observe/vitals.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StallWatch } from '../../src/executor/stall-watch.ts'
import { TargetLog } from '../../src/executor/target-log.ts'
import { BatchBuilder } from '../../src/format/batch/batch-builder.ts'
import type { AppendAnswer, AppendRequest } from '../../src/kafka/port/appending.ts'
import type { GroupSession } from '../../src/kafka/port/membership.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import { kindOf } from '../../src/kafka/kafka-errors.ts'
import type { KafkaErrorName } from '../../src/kafka/kafka-errors.ts'
import { SOURCE_OFFSET } from '../../src/kafka/tail.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { silentProgress } from '../../src/observe/progress.ts'
import { Aborted } from '../../src/runtime/aborted.ts'
import { unthrottled } from '../../src/runtime/throttle.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import type { TopicPartition } from '../../src/runtime/topic-partition.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { FickleTarget, kind } from '../helpers/fickle-target.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { Dice } from '../helpers/seed.ts'

const nothing = () => undefined
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing } as unknown as Logger

/** A target log whose time, heartbeats, throttle and broker are the test's. */
function openLog({ logEnd = 0, isAppendTime = false } = {}) {
  const clock = new ManualClock()
  const pool = new CountingPool()
  const target = new FickleTarget('copy', new Dice('log'), kind)
  const kafka = logEnd === 0 ? target.kafka(clock) : kafkaWithLog(logEnd, isAppendTime)
  const session = { provenAtMs: clock.monotonic() }
  const end = new AbortController()
  const asked: AppendRequest[] = []
  const world = {
    resets: 0,
    throttle: unthrottled,
    answer: (): AppendAnswer => ({ kind: 'acknowledged', baseOffset: 0, logStartOffset: 0 }),
  }
  const log = new TargetLog(
    { topic: 'copy', partition: 0, baseOffset: 0, producerId: 7n },
    {
      deps: {
        nearbyArchives: () => Promise.resolve([]),
        kafka,
        store: newMemoryStore(),
        clock,
        random: { number: () => 0, id: () => 'id' },
        log: quiet,
        metrics: new Metrics(),
        vitals: new Vitals(clock),
        progress: silentProgress,
        pool,
      },
      appender: {
        append(request) {
          asked.push(request)
          return Promise.resolve(request.mayWrite() ? world.answer() : { kind: 'unsent', reason: 'stale' })
        },
        reset: () => void world.resets++,
        [Symbol.dispose]: nothing,
      },
      session: session as GroupSession,
      ownership: { topic: 'plan', partition: 0, ended: end.signal },
      stalls: new StallWatch(clock),
      throttle: { isHolding: false, take: (bytes, signal) => world.throttle.take(bytes, signal) },
      targets: { inspect: () => Promise.reject(new Error('it is there')) },
      onSent: nothing,
    },
  )
  const batch = (records = 1) => {
    const builder = new BatchBuilder(pool, 200)
    for (let n = 0; n < records; n++) builder.length = builder.begin(1_000, 0)
    return { builder, firstOffset: 10, lastOffset: 9 + records }
  }
  const append = (records?: number) => log.append(batch(records), 'none', 1_000)
  /** Lets time pass as in a process that runs: the ticker ticks. */
  const live = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { log, clock, session, end, world, asked, append, live, pool, target }
}

/** A cluster in which the target is as long as that, and ends with a restored record. */
function kafkaWithLog(logEnd: number, isAppendTime: boolean): Kafka {
  const headers = [{ key: Buffer.from(SOURCE_OFFSET), value: Buffer.from('9') }]
  return {
    admin: {
      offsets: (which: string, [where]: TopicPartition[]) =>
        Promise.resolve({
          offsets: new PartitionMap([[where!, which === 'log start' ? 0 : logEnd]]),
          failed: new PartitionMap(),
        }),
    },
    async *readRecords() {
      yield { offset: logEnd - 1, timestamp: 1n, key: null, value: null, headers, producerId: 7n, isAppendTime }
    },
  } as unknown as Kafka
}

async function stuckOr<T>(promise: Promise<T>, live: (ms: number) => Promise<void>, ms: number): Promise<T | 'stuck'> {
  return Promise.race([promise, live(ms).then(() => 'stuck' as const)])
}

test('a batch goes out within five seconds of the last proof: a look, an acknowledgement, a heartbeat', async () => {
  const { log, append, live, world, session, clock } = openLog()
  await log.look()
  await live(4_900)
  assert.equal(await append(), 'appended')
  await live(4_900)
  world.answer = () => ({ kind: 'acknowledged', baseOffset: 1, logStartOffset: 0 })
  assert.equal(await append(), 'appended')
  await live(4_900)
  session.provenAtMs = clock.monotonic()
  await live(4_900)
  world.answer = () => ({ kind: 'acknowledged', baseOffset: 2, logStartOffset: 0 })
  assert.equal(await append(), 'appended')
  assert.equal(world.resets, 0)
})

test('without a fresh proof nothing goes out: sockets are destroyed, and a heartbeat sent later than now is waited for', async () => {
  const { log, append, live, world, session, clock } = openLog()
  await log.look()
  await live(5_100)
  const askedAtMs = clock.monotonic()
  const outcome = append()
  assert.equal(await stuckOr(outcome, live, 3_000), 'stuck')
  assert.equal(world.resets, 1)
  session.provenAtMs = askedAtMs - 1 // it was on its way when the batch was not
  assert.equal(await stuckOr(outcome, live, 1_000), 'stuck')
  session.provenAtMs = clock.monotonic()
  assert.equal(await stuckOr(outcome, live, 1_000), 'look again')
})

test('a process that stood still sends nothing that it had ready, however fresh its proofs are', async () => {
  const { log, append, live, world, session, clock } = openLog()
  await log.look()
  clock.standStill(1_200)
  session.provenAtMs = clock.monotonic() // a heartbeat of another moment does not help
  const outcome = append()
  await live(50)
  session.provenAtMs = clock.monotonic()
  assert.equal(await stuckOr(outcome, live, 1_000), 'look again')
  assert.equal(world.resets, 1)
  await log.look()
  assert.equal(await append(), 'appended')
})

test('standing still while a batch waits in the throttle counts as well', async () => {
  const { log, append, live, world, session, clock } = openLog()
  await log.look()
  const gate = Promise.withResolvers<void>()
  world.throttle = { isHolding: true, take: () => gate.promise }
  const outcome = append()
  await live(100)
  clock.standStill(1_200)
  gate.resolve()
  await live(50)
  session.provenAtMs = clock.monotonic()
  assert.equal(await stuckOr(outcome, live, 1_000), 'look again')
})

test('standing still between a write and its acknowledgement makes the next batch look first', async () => {
  const { log, append, live, world, session, clock } = openLog()
  await log.look()
  world.answer = () => {
    clock.standStill(1_200)
    return { kind: 'acknowledged', baseOffset: 0, logStartOffset: 0 }
  }
  assert.equal(await append(), 'appended')
  const outcome = append()
  await live(50)
  session.provenAtMs = clock.monotonic()
  assert.equal(await stuckOr(outcome, live, 1_000), 'look again')
})

test('who does not own the plan partition any more writes nothing, and does not wait for proofs', async () => {
  const { log, append, end } = openLog()
  await log.look()
  end.abort(new Aborted('moved'))
  assert.equal(await append(), 'look again')
})

test('a leader that is missing is no reason to destroy the connections of all others', async () => {
  const { log, append, world, live } = openLog()
  await log.look()
  world.answer = () => ({ kind: 'unsent', reason: 'the partition has no leader' })
  assert.equal(await stuckOr(append(), live, 1_000), 'look again')
  assert.equal(world.resets, 0)
})

test('the sequence is the number of records that are there, modulo 2^31', async () => {
  for (const [count, sequence] of [
    [5, 5],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, 0],
    [2 ** 31 + 7, 7],
    [2 ** 32 + 1, 1],
  ] as const) {
    const { log, append, asked, world } = openLog({ logEnd: count })
    world.answer = () => ({ kind: 'acknowledged', baseOffset: count, logStartOffset: 0 })
    assert.deepEqual(await log.look(), { count, tailSourceOffset: 9 })
    assert.equal(await append(), 'appended')
    assert.equal(asked[0]!.batch.readInt32BE(53), sequence)
  }
})

const here = { baseOffset: 0, logStartOffset: 0 }
const acknowledged = [
  ['at its place', here, undefined],
  ['further back', { baseOffset: 3, logStartOffset: 0 }, 'TARGET_SPOILED'],
  ['nowhere (−1)', { baseOffset: -1, logStartOffset: 0 }, 'TARGET_SPOILED'],
  ['at its place, with the newest time in a batch that is there already', { ...here, appendTime: 1_000n }, undefined],
  ['at its place, with the time of the broker', { ...here, appendTime: 1_764_000_000_000n }, 'TARGET_SPOILED'],
  ['at its place, when the head of the log is gone', { baseOffset: 0, logStartOffset: 1 }, 'TARGET_LOSING'],
] as const

for (const [title, place, code] of acknowledged) {
  test(`an acknowledgement ${title}: ${code ?? 'the batch is there'}`, async () => {
    const { log, append, world } = openLog()
    await log.look()
    world.answer = () => ({ kind: 'acknowledged', ...place })
    if (code === undefined) assert.equal(await append(), 'appended')
    else await assert.rejects(append(), { code })
  })
}

test('a restored record with the time of the broker at the end of the log is seen by whoever comes next', async () => {
  const { log } = openLog({ logEnd: 5, isAppendTime: true })
  await assert.rejects(log.look(), { code: 'TARGET_SPOILED', message: /offset 4 on: its last record has the time/ })
})

const refusals: readonly (readonly [KafkaErrorName, number, string])[] = [
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 2, 'look again'],
  ['DUPLICATE_SEQUENCE_NUMBER', 2, 'look again'],
  ['UNKNOWN_PRODUCER_ID', 2, 'look again'],
  ['NOT_LEADER_OR_FOLLOWER', 2, 'look again'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 2, 'look again'],
  ['NOT_ENOUGH_REPLICAS', 2, 'look again'],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 2, 'look again'],
  ['REQUEST_TIMED_OUT', 2, 'look again'],
  ['KAFKA_STORAGE_ERROR', 2, 'look again'],
  ['MESSAGE_TOO_LARGE', 2, 'smaller'],
  ['MESSAGE_TOO_LARGE', 1, 'TARGET_REFUSED'],
  ['RECORD_LIST_TOO_LARGE', 1, 'TARGET_REFUSED'],
  ['INVALID_TIMESTAMP', 2, 'smaller'],
  ['INVALID_TIMESTAMP', 1, 'TARGET_REFUSED'],
  ['CORRUPT_MESSAGE', 1, 'TARGET_REFUSED'],
  ['INVALID_RECORD', 1, 'TARGET_REFUSED'],
  ['TOPIC_AUTHORIZATION_FAILED', 2, 'KAFKA_AUTH'],
  ['CLUSTER_AUTHORIZATION_FAILED', 2, 'KAFKA_AUTH'],
  ['INVALID_PRODUCER_EPOCH', 2, 'TARGET_SPOILED'],
  ['UNSUPPORTED_VERSION', 2, 'KAFKA_PROTOCOL'],
  ['ERROR_4711', 2, 'KAFKA_PROTOCOL'],
]

for (const [name, records, expected] of refusals) {
  test(`${name} for ${records === 1 ? 'a record' : 'several records'}: ${expected}`, async () => {
    const { log, append, world, live, pool } = openLog()
    await log.look()
    world.answer = () => ({ kind: 'refused', trouble: { name, kind: kindOf(name) } })
    if (kindOf(name) === 'invalid') assert.equal(await append(records), 'look again')
    const appended = append(records)
    appended.catch(nothing)
    await live(300)
    if (expected === expected.toUpperCase()) await assert.rejects(appended, { code: expected })
    else assert.equal(await appended, expected)
    assert.equal(pool.taken, 0, 'the builder was not given back')
    assert.equal(log.count, 0)
  })
}

test('what is invalid is tried once more: somebody may have sealed the topic, and the next look opens it', async () => {
  const { log, append, world } = openLog()
  await log.look()
  world.answer = () => ({ kind: 'refused', trouble: { name: 'INVALID_TIMESTAMP', kind: 'invalid' } })
  assert.equal(await append(), 'look again')
  await log.look()
  world.answer = () => ({ kind: 'acknowledged', baseOffset: 0, logStartOffset: 0 })
  assert.equal(await append(), 'appended')
  world.answer = () => ({ kind: 'refused', trouble: { name: 'CORRUPT_MESSAGE', kind: 'invalid' } })
  assert.equal(await append(), 'look again', 'at another place it is another batch')
})

test('a chain that is over leaves the connections to the others, whose batches are on their way', async () => {
  const { log, append, world, end } = openLog()
  await log.look()
  end.abort(new Aborted('over'))
  assert.equal(await append(), 'look again')
  assert.equal(world.resets, 0)
})

test('without an answer the bytes of a batch stay as they are', async () => {
  const { log, append, world, live, pool } = openLog()
  await log.look()
  world.answer = () => ({ kind: 'unanswered', reason: 'lost' })
  assert.equal(await stuckOr(append(), live, 1_000), 'look again')
  assert.equal(pool.taken, 1)
})
