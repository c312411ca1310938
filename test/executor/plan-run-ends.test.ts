import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { ChainRestore } from '../../src/executor/chain.ts'
import { countRestored } from '../../src/executor/count-restored.ts'
import type { ExecutorDeps } from '../../src/executor/deps.ts'
import { PlanRun } from '../../src/executor/plan-run.ts'
import type { Targets } from '../../src/executor/targets.ts'
import { encodePlanEntry } from '../../src/format/plan-records.ts'
import type { PlanEntry, PlanFile } from '../../src/format/plan.ts'
import type { GroupSession } from '../../src/kafka/port/membership.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import type { ReadRecord } from '../../src/kafka/port/fetching.ts'
import type { MaxbrodError } from '../../src/runtime/errors.ts'
import { newLimit } from '../../src/runtime/limit.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import type { TopicPartition } from '../../src/runtime/topic-partition.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { planFile, planHead } from '../helpers/planned.ts'

const nothing = () => undefined

/** A plan partition that holds these entries, and a run that follows it; its one chain does what `restore` does. */
function openRun(entries: PlanEntry[], chains = newLimit(1), restore: () => Promise<void> = () => Promise.resolve()) {
  const files: PlanFile[] = []
  const failed: unknown[] = []
  const told: { onFileDone: (file: PlanFile) => void } = { onFileDone: nothing }
  const chain = {
    count: 0,
    isComplete: false,
    lookAgain: () => void (chain.isComplete = false),
    get files() {
      return files.length
    },
    get planned() {
      return files.reduce((sum, { records }) => sum + records, 0)
    },
  }
  const log = { end: 0 }
  const clock = new ManualClock()
  const end = new AbortController()
  const kafka = {
    admin: {
      offsets: (kind: string, [where]: TopicPartition[]) => {
        const logEnd = where!.topic === 'plan' ? entries.length : kind === 'log end' ? log.end : 0
        return Promise.resolve({ offsets: new PartitionMap([[where!, logEnd]]), failed: new PartitionMap() })
      },
    },
    async *readRecords(_: TopicPartition, from: number, to: number): AsyncGenerator<ReadRecord> {
      for (const [at, entry] of entries.slice(from, to).entries()) {
        const { key, value, headers } = encodePlanEntry(entry, 'sha')
        await turn()
        yield { offset: from + at, timestamp: 0n, key, value, headers, producerId: 7n, isAppendTime: false }
      }
    },
  } as unknown as Kafka
  const commits: number[] = []
  const session = {
    commit: ([{ offset }]: [{ offset: number }]) => Promise.resolve(void commits.push(offset)),
  } as unknown as GroupSession
  const run = new PlanRun(
    { topic: 'plan', partition: 0, ended: end.signal },
    {
      deps: {
        kafka,
        clock,
        random: { number: () => 0, id: () => 'id' },
        log: { warn: nothing },
      } as unknown as ExecutorDeps,
      session: Promise.resolve(session),
      planTopic: 'plan',
      head: planHead(),
      chains,
      noteOf: () => '',
      newChain: (target, { onFileDone }) => {
        told.onFileDone = onFileDone
        const own = { target, add: (file: PlanFile) => files.push(file), run: restore }
        return Object.assign(chain, own) as unknown as ChainRestore
      },
      onPlanned: nothing,
      onCount: nothing,
      onFailed: (_, error) => failed.push(error),
      onTopic: () => Promise.resolve(),
      onBroken: nothing,
    },
  )
  const doneWith = (file: PlanFile) => told.onFileDone(file)
  return { run, clock, end, commits, failed, chain, kafka, log, doneWith }
}

test('a plan partition that becomes shorter is not the one that it was: nothing is taken for done', async () => {
  const entries: PlanEntry[] = [planHead(), planFile(0, 0, 5, 0, 5), { kind: 'end', planId: 'p', partitions: {} }]
  const { run, clock } = openRun(entries)
  const running = run.run()
  running.catch(nothing)
  await run.settled()
  entries.length = 1
  for (let n = 0; n < 100; n++) {
    clock.advance(100)
    await turn()
  }
  await assert.rejects(running, { code: 'PLAN_FOREIGN', message: /plan-0 ended at 3 and now ends at 1/ })
})

test('a plan partition is given up at once when its chains still wait for their turn', async () => {
  const busy = Promise.withResolvers<void>()
  const chains = newLimit(1)
  const other = chains(() => busy.promise) // another plan partition's chain, at work for hours
  let begun = 0
  const { run, end, commits } = openRun([planHead(), planFile(0, 0, 5, 0, 5)], chains, async () => void begun++)
  const running = run.run()
  let isSettled = false
  const settled = run.settled().then(() => (isSettled = true))
  for (let n = 0; n < 20; n++) await turn()
  assert.equal(isSettled, false, 'a chain that waits for its turn is not through')
  await run.yield()
  end.abort()
  busy.resolve()
  await Promise.all([other, settled, running.catch(nothing)])
  assert.equal(begun, 0, 'it began although its partition was given up')
  assert.deepEqual(commits, [1])
})

test('a plan partition is given up behind the batches of the chains that are at work', async () => {
  const batch = Promise.withResolvers<void>()
  const { run, end } = openRun([planHead(), planFile(0, 0, 5, 0, 5)], newLimit(1), () => batch.promise)
  const running = run.run()
  let isGivenUp = false
  for (let n = 0; n < 20; n++) await turn()
  const yielded = run.yield().then(() => (isGivenUp = true))
  for (let n = 0; n < 20; n++) await turn()
  assert.equal(isGivenUp, false)
  batch.resolve()
  await yielded
  end.abort()
  await running.catch(nothing)
})

test('a chain is done only when its files are those that the end of the plan promises: none fewer, none more', async () => {
  const ends: readonly (readonly [promised: string, index: number, records: number])[] = [
    ['another file', 1, 10],
    ['more records', 0, 6],
    ['fewer records', 0, 4],
  ]
  for (const [promised, index, records] of ends) {
    const close: PlanEntry = { kind: 'end', planId: 'p', partitions: { 'orders-0': { index, records } } }
    const { run, end, commits, failed } = openRun([planHead(), planFile(0, 0, 5, 0, 5), close])
    const running = run.run()
    await run.settled()
    end.abort()
    await running.catch(nothing)
    assert.equal(failed.length, 1, promised)
    const [error] = failed as [MaxbrodError]
    assert.equal(error.code, 'PLAN_CORRUPT', promised)
    assert.match(error.message, /orders-0 closes with .* and has 1 files with 5 records/)
    assert.deepEqual(commits, [1], 'the chain was taken for done')
  }
})

test('a plan that promises a chain of which it has no file is refused', async () => {
  const close: PlanEntry = { kind: 'end', planId: 'p', partitions: { 'orders-0': { index: 0, records: 5 } } }
  const { run } = openRun([planHead(), close])
  await assert.rejects(run.run(), { code: 'PLAN_CORRUPT', message: /and has 0 files with 0 records/ })
})

test('a chain that was complete and whose target has lost records is restored again', async () => {
  let runs = 0
  const again = Promise.withResolvers<void>()
  const { run, end, chain, commits, doneWith } = openRun(
    [planHead(), planFile(0, 0, 5, 0, 5)],
    newLimit(1),
    async () => {
      if (runs++ > 0) await again.promise
      else doneWith(planFile(0, 0, 5, 0, 5))
      Object.assign(chain, { count: 5, isComplete: true })
    },
  )
  const running = run.run()
  await run.settled()
  const where = { topic: 'orders', partition: 0 }
  const before = run.counts()
  assert.deepEqual([...before], [[where, 5]])
  assert.equal(run.mend(before, new PartitionMap([[where, 5]])), false)
  assert.equal(run.mend(before, new PartitionMap()), false, 'nothing is known of it')
  assert.equal(runs, 1)
  assert.equal(commits.at(-1), 2)
  assert.equal(run.mend(before, new PartitionMap([[where, 3]])), true)
  for (let n = 0; n < 20; n++) await turn()
  assert.equal(commits.at(-1), 1, 'whoever comes after an executor that dies now takes the plan for done')
  again.resolve()
  await run.settled()
  assert.equal(runs, 2)
  assert.equal(commits.at(-1), 2)
  end.abort()
  await running.catch(nothing)
})

test('a plan that grows behind the one that was asked for is no loss: nothing is restored again', async () => {
  const where = { topic: 'orders', partition: 0 }
  const close: PlanEntry = { kind: 'end', planId: 'p', partitions: { 'orders-0': { index: 0, records: 5 } } }
  // A second planner added a file, and died before it closed its run.
  const entries = [planHead(), planFile(0, 0, 5, 0, 5), close, planFile(1, 5, 5, 5, 10)]
  const { run, end, chain, kafka, log } = openRun(entries, newLimit(1), async () => {
    Object.assign(chain, { count: 10, isComplete: true })
  })
  const running = run.run()
  await run.settled()
  log.end = 10
  const known = { ends: [3], records: new PartitionMap([[where, 5]]) }
  const targets = { head: planHead(), baseOffset: () => 0, meet: () => Promise.resolve() } as unknown as Targets
  const before = run.counts()
  const counts = await countRestored({ kafka }, 'plan', known, targets, end.signal)
  assert.deepEqual(counts, [{ ...where, planned: 5, due: 5, restored: 5, held: 10 }])
  assert.equal(run.mend(before, new PartitionMap([[where, counts[0]!.held]])), false)
  end.abort()
  await running.catch(nothing)
})

test('what a chain has added since the targets were counted is no loss', async () => {
  const { run, end, chain } = openRun([planHead(), planFile(0, 0, 5, 0, 5)], newLimit(1), async () => {
    Object.assign(chain, { count: 5, isComplete: true })
  })
  const running = run.run()
  await run.settled()
  const before = run.counts()
  Object.assign(chain, { count: 10 })
  assert.equal(run.mend(before, new PartitionMap([[{ topic: 'orders', partition: 0 }, 5]])), false)
  end.abort()
  await running.catch(nothing)
})
