import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { SourceOffset } from '../../src/format/batch/source-offsets.ts'
import { restoredRange } from '../../src/groups/restored-range.ts'
import { SourceIndex } from '../../src/groups/source-index.ts'
import { checkAsync } from '../helpers/properties.ts'

const where = { topic: 'orders', partition: 0 }

/** A log of batches, and how often one was read. */
function logOf(batches: readonly (readonly SourceOffset[])[]) {
  const log = {
    reads: 0,
    read: (offset: number, to: number) => {
      log.reads++
      const found = batches.find(batch => (batch.at(-1)?.offset ?? -1) >= offset)
      return Promise.resolve(found?.some(one => one.offset >= offset && one.offset < to) === true ? found : [])
    },
  }
  return log
}

/** Restored records, cut into batches; then compaction takes some of them away, and markers or nothing stand at the end. */
const logs = fc
  .record({
    base: fc.nat(50),
    steps: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean(), fc.boolean()), { maxLength: 60 }),
    before: fc.nat(5),
    behind: fc.nat(5),
  })
  .map(({ base, steps, before, behind }) => {
    let source = 10
    const batches: SourceOffset[][] = [[]]
    for (const [n, [step, isGone, isLast]] of steps.entries()) {
      source += step
      if (!isGone) batches.at(-1)!.push({ offset: base + before + n, source })
      if (isLast) batches.push([])
    }
    const kept = batches.filter(batch => batch.length > 0)
    return { batches: kept, records: kept.flat(), start: base, end: base + before + steps.length + behind, top: source }
  })

test('every offset leads to the first record that is not below it, whatever the gaps and batches', async () => {
  await checkAsync(
    fc.asyncProperty(
      logs,
      fc.array(fc.nat(300), { maxLength: 30 }),
      async ({ batches, records, start, end, top }, more) => {
        const index = new SourceIndex(where, logOf(batches).read)
        await index.extend(start, end)
        assert.deepEqual(index.last, records.at(-1))
        for (const source of [...more, ...Array.from({ length: top + 3 }, (_, n) => n)]) {
          const at = records.findIndex(one => one.source! >= source)
          const found = await index.find(source)
          if (at < 0) assert.equal(found, undefined)
          // A record between two known ones need not be there any more: the next one that is there is the same.
          else {
            const next = records.find(one => one.offset >= found!.offset)
            assert.deepEqual([next, found!.hasBefore], [records[at], at > 0], `source offset ${source}`)
            assert.ok(at === 0 || records[at - 1]!.offset < found!.offset)
          }
        }
      },
    ),
    300,
  )
})

test('a log that grows is read on from where it ended', async () => {
  const batches = Array.from({ length: 40 }, (_, n) => [0, 1, 2].map(k => ({ offset: n * 3 + k, source: n * 5 + k })))
  const log = logOf(batches)
  const index = new SourceIndex(where, log.read)
  for (let end = 3; end <= 120; end += 3) {
    await index.extend(0, end)
    assert.equal(index.last?.offset, end - 1)
    assert.deepEqual(await index.find(1), { offset: 1, source: 1, hasBefore: true })
    assert.equal(await index.find(index.last.source + 1), undefined)
  }
  log.reads = 0
  await index.extend(0, 120)
  assert.equal(log.reads, 0)
})

test('a log without gaps costs two reads, however many offsets are looked for', async () => {
  const batches = Array.from({ length: 1_000 }, (_, n) => Array.from({ length: 100 }, (__, k) => n * 100 + k)).map(
    batch => batch.map(offset => ({ offset: offset + 7, source: offset + 1_000 })),
  )
  const log = logOf(batches)
  const index = new SourceIndex(where, log.read)
  await index.extend(7, 100_007)
  for (let n = 0; n < 100_000; n += 97) assert.equal((await index.find(1_000 + n))?.offset, n + 7)
  assert.equal(log.reads, 2)
})

test('among many small gaps each lookup costs a few reads', async () => {
  let source = 0
  const batches = Array.from({ length: 200 }, (_, n) =>
    Array.from({ length: 100 }, (__, k) => ({ offset: n * 100 + k, source: (source += k % 10 === 9 ? 2 : 1) })),
  )
  const log = logOf(batches)
  const index = new SourceIndex(where, log.read)
  await index.extend(0, 20_000)
  const records = batches.flat()
  const wanted = Array.from({ length: 100 }, (_, n) => n * 219 + 3)
  for (const one of wanted) {
    const found = await index.find(one)
    assert.equal(found?.source, records.find(record => record.source >= one)?.source)
  }
  assert.ok(log.reads < 300, `${log.reads} reads`)
})

test('a look that failed is as if it had not been: the next one reads what that one did not', async () => {
  const batches = Array.from({ length: 40 }, (_, n) => [0, 1, 2].map(k => ({ offset: n * 3 + k, source: n * 5 + k })))
  let isProven = false
  for (const ends of [[120], [57, 120]])
    for (let failing = 1; ; failing++) {
      const log = logOf(batches)
      let reads = 0
      const index = new SourceIndex(where, (offset, to) =>
        ++reads === failing ? Promise.reject(new Error('no answer')) : log.read(offset, to),
      )
      let failures = 0
      for (const end of ends)
        await index.extend(0, end).catch(async () => {
          failures++
          await index.extend(0, end)
        })
      if (failures === 0) break
      assert.equal(index.last?.offset, 119)
      for (const { offset, source } of batches.flat())
        assert.deepEqual(await index.find(source), { offset, source, hasBefore: offset > 0 }, `read ${failing} failed`)
      isProven = true
    }
  assert.ok(isProven)
})

test('what does not ascend is said for every offset that is looked for', async () => {
  const batch = [5, 9, 7, 12].map((source, offset) => ({ offset, source }))
  const index = new SourceIndex(where, logOf([batch]).read)
  for (const _ of [1, 2]) await assert.rejects(index.extend(0, 4), { code: 'TARGET_SPOILED' })
  assert.equal(index.last, undefined)
})

test('what does not ascend, and what was not restored, is said', async () => {
  const back = new SourceIndex(where, logOf([[{ offset: 0, source: 5 }], [{ offset: 1, source: 5 }]]).read)
  await assert.rejects(back.extend(0, 2), { code: 'TARGET_SPOILED' })
  const foreign = new SourceIndex(where, logOf([[{ offset: 0, source: undefined }]]).read)
  await assert.rejects(foreign.extend(0, 1), { code: 'TARGET_SPOILED' })
})

test('restored records are told from what others wrote before or behind them', async () => {
  const log = (sources: readonly (number | undefined)[]) =>
    logOf(sources.map((source, n) => [{ offset: 2 * n + 10, source }])).read
  const none = undefined
  for (const [sources, start, end] of [
    [[], 0, 40],
    [[1, 2, 3], 0, 40],
    [[1, 2, 3, none, none], 0, 15],
    [[1, none], 0, 11],
    [[none, none, 5, 6], 13, 40],
    [[none, 5], 11, 40],
  ] as const)
    assert.deepEqual(await restoredRange(where, log(sources), 0, 40), { start, end }, String(sources))
  await assert.rejects(restoredRange(where, log([none, 5, none]), 0, 40), { code: 'TARGET_SPOILED' })
})
