import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sumStatus } from '../../src/executor/restore-sum.ts'
import type { ChainStatus } from '../../src/executor/restore-sum.ts'
import type { PlanFile } from '../../src/format/plan.ts'

const chain = (partition: number, recordsRestored: number, of: Partial<ChainStatus> = {}): ChainStatus => ({
  topic: 'copy',
  partition,
  recordsPlanned: 100,
  recordsRestored,
  isPassed: false,
  isGone: false,
  isLosing: false,
  stoodMs: 0,
  ...of,
})

/** Two files of 60 and 40 records for each of the partitions. */
const files = [0, 1].flatMap(partition =>
  [
    { records: 60, recordsBefore: 0, bytes: 600 },
    { records: 40, recordsBefore: 60, bytes: 400 },
  ].map(({ bytes, ...counts }, index) => {
    const target = { topic: 'copy', partition }
    return { kind: 'file', target, object: { key: `${partition}/${index}`, etag: 'e', bytes }, index, ...counts }
  }),
) as unknown as PlanFile[]

const sum = (
  chains: readonly ChainStatus[],
  isComplete = true,
  since?: { atMs: number; records: number; nowMs: number },
) => sumStatus('plan', chains, files, isComplete, since)

test('a file is restored when all its records are there; bytes are those of such files', () => {
  const {
    files: all,
    filesRestored,
    bytes,
    bytesRestored,
    records,
    recordsRestored,
    isDone,
  } = sum([chain(0, 100), chain(1, 99)])
  assert.deepEqual([all, filesRestored, bytes, bytesRestored], [4, 3, 2_000, 1_600])
  assert.deepEqual([records, recordsRestored, isDone], [200, 199, false])
})

test('it is done when every target holds what is planned and the plan is complete', () => {
  assert.equal(sum([chain(0, 100), chain(1, 100)]).isDone, true)
  assert.equal(sum([chain(0, 100), chain(1, 100)], false).isDone, false)
  assert.equal(sum([chain(0, 100), chain(1, 100, { isLosing: true })]).isDone, false)
  assert.equal(sum([chain(0, 100), chain(1, 100, { isGone: true })]).isDone, false)
})

test('a chain that the plan was committed past, and that lacks records, was put aside; then nothing more comes', () => {
  const { quarantined, isOver, isDone } = sum([chain(0, 100, { isPassed: true }), chain(1, 70, { isPassed: true })])
  assert.deepEqual(quarantined, [{ topic: 'copy', partition: 1 }])
  assert.deepEqual([isOver, isDone], [true, false])
  assert.equal(sum([chain(0, 100), chain(1, 70)]).isOver, false)
})

test('rate and time to go follow from two looks; without movement nobody can tell', () => {
  const moving = sum([chain(0, 100), chain(1, 20)], true, { atMs: 1_000, records: 100, nowMs: 3_000 })
  assert.deepEqual([moving.recordsPerSecond, moving.etaSeconds], [10, 8])
  const still = sum([chain(0, 100), chain(1, 20)], true, { atMs: 1_000, records: 120, nowMs: 3_000 })
  assert.deepEqual([still.recordsPerSecond, still.etaSeconds], [0, undefined])
  assert.equal(sum([chain(0, 100)]).recordsPerSecond, undefined)
})

test('what lacks records and stands still is stalled, unless it was put aside or had not enough time', () => {
  const stood = { stoodMs: 2_000 }
  const chains = [chain(0, 100, stood), chain(1, 20, stood), chain(2, 20, { ...stood, isPassed: true }), chain(3, 20)]
  const stalledAfter = (ms?: number) => sumStatus('plan', chains, files, true, undefined, ms).stalled
  assert.deepEqual(stalledAfter(1_500), [{ topic: 'copy', partition: 1 }])
  assert.deepEqual(stalledAfter(2_001), [])
  assert.deepEqual(stalledAfter(), [])
})
