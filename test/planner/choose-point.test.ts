import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { choosePoint, historiesAt } from '../../src/planner/choose-point.ts'
import { joinLineages } from '../../src/planner/lineages.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { surveyed, topicId } from '../helpers/planned.ts'

const place = { topic: 'orders', topicId: undefined, partition: 0 }
const folder = { topic: 'orders', topicId: undefined, name: 'orders' }
const signal = new AbortController().signal

/** The log was cut at 7 at 2,000, when it had reached 12, and then grew to 20. */
const histories = joinLineages([
  { place: { ...place, lineage: undefined }, tiles: [surveyed(0, 5), surveyed(5, 12)] },
  { place: { ...place, lineage: 3 }, tiles: [surveyed(7, 20, { lineage: 3, origin: 7, timestampMin: 2_000n })] },
])

async function chosen(atMs: number, end: number) {
  const store = newMemoryStore()
  const partitions = [{ topic: 'orders', topic_id: topicId, partition: 0, log_start: 0, end }]
  await writePoint(store, { atMs, groupsKey: undefined, partitions })
  const options = { topics: [/^orders$/], excludeTopics: [], at: 9_000 }
  return choosePoint({ store }, options, new Map([['orders', [folder]]]), async () => histories, signal)
}

for (const [when, atMs, end, lineages] of [
  ['before an election cut it', 1_000, 12, [undefined]],
  ['before the election, where nothing was lost', 1_000, 6, [undefined, 3]],
  ['after the election', 3_000, 15, [undefined, 3]],
] as const) {
  test(`a point has the history that the log had then: ${when}`, async () => {
    const { point, window } = await chosen(atMs, end)
    assert.equal(window.to?.get(place), end)
    const [history] = historiesAt(histories, point.partitions, point.atMs)
    assert.deepEqual([...new Set(history!.tiles.map(({ lineage }) => lineage))], lineages)
    assert.ok(history!.tiles.at(-1)!.to >= end)
  })
}

test('a point of which nothing is left after a prune is passed over, and one that begins later is not', async () => {
  const [history] = joinLineages([
    { place: { ...place, lineage: undefined }, tiles: [surveyed(5, 12, { origin: 0 })], begin: 5 },
  ])
  const store = newMemoryStore()
  const at = (atMs: number, end: number) =>
    writePoint(store, {
      atMs,
      groupsKey: undefined,
      partitions: [{ topic: 'orders', topic_id: topicId, partition: 0, log_start: 0, end }],
    })
  await at(1_000, 5)
  await at(2_000, 6)
  const choose = (atMs: number) => {
    const options = { topics: [/^orders$/], excludeTopics: [], at: atMs }
    return choosePoint({ store }, options, new Map([['orders', [folder]]]), async () => [history!], signal)
  }
  assert.equal((await choose(9_000)).point.atMs, 2_000)
  await assert.rejects(choose(1_500), { code: 'BACKUP_NOT_FOUND', message: /ended at 5, and was pruned up to 5/ })
})

test('a point from before an election is passed over when the files of then do not reach up to it', async () => {
  // The ones of the later history do: they hold other records.
  await assert.rejects(chosen(1_000, 15), {
    code: 'BACKUP_NOT_FOUND',
    message: /orders-0 ended at 15, and its files end at 12/,
  })
})

test('topics of Kafka that nobody backs up keep no point from being reached; others do, and the hint says how to go on', async () => {
  const choose = async (topic: string) => {
    const store = newMemoryStore()
    const partitions = ['orders', topic].map(name => ({
      topic: name,
      topic_id: topicId,
      partition: 0,
      log_start: 0,
      end: 12,
    }))
    await writePoint(store, { atMs: 1_000, groupsKey: undefined, partitions })
    const options = { topics: [/^.*$/], excludeTopics: [], at: 9_000 }
    return choosePoint({ store }, options, new Map([['orders', [folder]]]), async () => histories, signal)
  }
  const { folders, warnings } = await choose('__consumer_offsets')
  assert.deepEqual([folders, warnings], [[folder], []])
  await assert.rejects(choose('clicks'), { code: 'BACKUP_NOT_FOUND', hint: /--exclude-topics/ })
})
