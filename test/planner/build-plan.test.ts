import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { PlanEntry, PlanFile } from '../../src/format/plan.ts'
import { chainName } from '../../src/format/plan.ts'
import { missingEnd, missingFiles, planIdOf } from '../../src/planner/build-plan.ts'
import type { WantedChain } from '../../src/planner/wanted-chain.ts'
import { planHead, stateOf, surveyed, wantedChain } from '../helpers/planned.ts'
import { check } from '../helpers/properties.ts'

/** Chains of random tiles, some of them without records. */
const chainLists = fc
  .array(fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), { maxLength: 6 }), {
    minLength: 1,
    maxLength: 6,
  })
  .map(list => list.map((spans, partition) => wantedChain(partition, tilesOf(spans))))

function tilesOf(spans: readonly (readonly [number, boolean])[]) {
  let from = 0
  return spans.map(([length, hasRecords]) => {
    const tile = surveyed(from, from + length, hasRecords ? {} : { records: 0 })
    from += length
    return tile
  })
}

/** All that a planner without rivals writes, in the order in which it writes it. */
function emission(
  chains: readonly WantedChain[],
  partitions: PlanEntry[][],
): { partition: number; entry: PlanEntry }[] {
  const written: { partition: number; entry: PlanEntry }[] = []
  const add = (partition: number, entry: PlanEntry) => {
    partitions[partition]!.push(entry)
    written.push({ partition, entry })
  }
  for (const [partition, files] of missingFiles('p', chains, stateOf(partitions)))
    for (const file of files) add(partition, file)
  for (const partition of partitions.keys()) {
    const end = missingEnd('p', partition, stateOf(partitions))
    if (end !== undefined) add(partition, end)
  }
  return written
}

function emptyPlan(planPartitions: number): PlanEntry[][] {
  return Array.from({ length: planPartitions }, (_, n) => (n === 0 ? [planHead({ planPartitions })] : []))
}

function filesOf(partitions: readonly PlanEntry[][]): PlanFile[] {
  return partitions.flat().filter(entry => entry.kind === 'file')
}

test('a plan lists every file of every chain once, numbered, with the records before it', () => {
  check(
    fc.property(chainLists, fc.integer({ min: 1, max: 4 }), (chains, planPartitions) => {
      const partitions = emptyPlan(planPartitions)
      emission(chains, partitions)
      for (const chain of chains) {
        const files = filesOf(partitions).filter(({ target }) => chainName(target) === chainName(chain.target))
        assert.deepEqual(
          files.map(({ object }) => object.key),
          chain.tiles.map(({ key }) => key),
        )
        assert.deepEqual(
          files.map(({ index }) => index),
          chain.tiles.map((_, index) => index),
        )
        const before = chain.tiles.map((_, n) => chain.tiles.slice(0, n).reduce((sum, { records }) => sum + records, 0))
        assert.deepEqual(
          files.map(({ recordsBefore }) => recordsBefore),
          before,
        )
      }
      assert.deepEqual(
        partitions.map(entries => entries.at(-1)?.kind),
        partitions.map(() => 'end'),
      )
    }),
    200,
  )
})

test('a planner that dies after any record leaves a plan that the next one completes to the same', () => {
  check(
    fc.property(chainLists, fc.integer({ min: 1, max: 3 }), (chains, planPartitions) => {
      const whole = emptyPlan(planPartitions)
      const written = emission(chains, whole)
      for (let survived = 0; survived <= written.length; survived++) {
        const partitions = emptyPlan(planPartitions)
        for (const { partition, entry } of written.slice(0, survived)) partitions[partition]!.push(entry)
        emission(chains, partitions)
        assert.deepEqual(partitions, whole, `after ${survived} of ${written.length}`)
      }
    }),
    60,
  )
})

test('with partitions written side by side, too: any beginning of each is completed', () => {
  const cuts = fc.array(fc.nat(100), { minLength: 4, maxLength: 4 })
  check(
    fc.property(chainLists, fc.integer({ min: 1, max: 4 }), cuts, (chains, planPartitions, lengths) => {
      const whole = emptyPlan(planPartitions)
      emission(chains, whole)
      // Ends come last: a planner that wrote one had all files in place.
      const files = whole.map(entries => entries.filter(({ kind }) => kind !== 'end'))
      const partitions = files.map((entries, n) =>
        entries.slice(0, n === 0 ? 1 + (lengths[n]! % entries.length) : lengths[n]! % (entries.length + 1)),
      )
      emission(chains, partitions)
      assert.deepEqual(partitions, whole)
    }),
    200,
  )
})

test('a later run adds what came after, of old and new chains, and nothing else', () => {
  check(
    fc.property(
      chainLists,
      fc.array(fc.nat(6), { minLength: 6, maxLength: 6 }),
      fc.integer({ min: 1, max: 3 }),
      (chains, kept, planPartitions) => {
        const earlier = chains.map((chain, n) => ({ ...chain, tiles: chain.tiles.slice(0, kept[n]) }))
        const partitions = emptyPlan(planPartitions)
        emission(
          earlier.filter(({ tiles }) => tiles.length > 0),
          partitions,
        )
        emission(chains, partitions)
        const atOnce = emptyPlan(planPartitions)
        emission(chains, atOnce)
        const byChain = (files: PlanFile[]) =>
          files.toSorted((a, b) => a.target.partition - b.target.partition || a.index - b.index)
        assert.deepEqual(byChain(filesOf(partitions)), byChain(filesOf(atOnce)))
        assert.deepEqual(
          partitions.map(entries => entries.at(-1)),
          atOnce.map(entries => entries.at(-1)),
        )
        assert.deepEqual(emission(chains, partitions), [], 'a third run adds nothing')
      },
    ),
    150,
  )
})

test('an end behind which something came closes nothing: another one is missing', () => {
  const partitions = emptyPlan(1)
  emission([wantedChain(0, [surveyed(0, 5)])], partitions)
  assert.equal(missingEnd('p', 0, stateOf(partitions)), undefined)
  partitions[0]!.push(planHead())
  assert.deepEqual(missingEnd('q', 0, stateOf(partitions)), {
    kind: 'end',
    planId: 'q',
    partitions: { 'orders-0': { index: 0, records: 5 } },
  })
})

test('the plan id is the same for the same input in any order, and another for any other', () => {
  const chains = [wantedChain(0, [surveyed(0, 5), surveyed(5, 9)]), wantedChain(1, [surveyed(0, 2)])]
  const base = planIdOf(['a'], { x: 1 }, ['t1', 't2'], chains)
  const objects = chains.flatMap(({ tiles }) => tiles.map(({ key, etag }) => `${key} ${etag}`)).toSorted()
  const text = JSON.stringify([['a'], { x: 1 }, ['t1', 't2'], objects])
  assert.equal(base, createHash('sha256').update(text).digest('hex'), 'of the text in docs/formats.md')
  assert.equal(planIdOf(['a'], { x: 1 }, ['t2', 't1'], chains.toReversed()), base)
  const others = [
    planIdOf(['b'], { x: 1 }, ['t1', 't2'], chains),
    planIdOf(['a'], { x: 2 }, ['t1', 't2'], chains),
    planIdOf(['a'], { x: 1 }, ['t1'], chains),
    planIdOf(['a'], { x: 1 }, ['t1', 't2'], chains.slice(1)),
    planIdOf(
      ['a'],
      { x: 1 },
      ['t1', 't2'],
      [wantedChain(0, [surveyed(0, 5), surveyed(5, 9, { etag: 'other' })]), chains[1]!],
    ),
  ]
  assert.equal(new Set([base, ...others]).size, 6)
})
