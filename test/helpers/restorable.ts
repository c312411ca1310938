import { readPrunes } from '../../src/catalog/prunes.ts'
import { Generations } from '../../src/planner/generations.ts'
import { auditPartition } from '../../src/planner/audit.ts'
import { cutHistory, unbounded } from '../../src/planner/cut-history.ts'
import type { PlannerDeps } from '../../src/planner/deps.ts'
import { joinLineages } from '../../src/planner/lineages.ts'
import { surveyTile, surveyTopic } from '../../src/planner/survey.ts'
import { withCompacted } from '../../src/planner/use-compacted.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { recordsIn } from './compacting.ts'
import type { DigestRecord } from './records.ts'

/**
 * The records of a partition that a restore would bring now, in their order, from the files that a planner chooses: without the
 * price of a cluster. Throws when they do not tile its history.
 */
export async function restorable(
  store: ObjectStore,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  ...flags: '--use-compacted'[]
): Promise<DigestRecord[]> {
  const deps = { store, pool: new BufferPool(0) } as unknown as PlannerDeps // nothing else is asked for
  const { signal } = new AbortController()
  const quiet = () => undefined
  const generations = await Generations.list(deps, quiet, signal)
  const options = {
    maxRecordBytes: 2 ** 27,
    prunes: await readPrunes(store),
    generations,
    onForeign: quiet,
    onUnencrypted: quiet,
    onTile: quiet,
    signal,
  }
  const { partitions } = await surveyTopic(deps, { topic, topicId: undefined, name: topic }, options)
  const history = joinLineages(partitions).find(({ place }) => place.partition === partition)
  if (history === undefined) throw new Error(`no ${topic}-${partition}`)
  const survey = (file: Parameters<typeof surveyTile>[1]) => surveyTile(deps, file, new Map(), options)
  const found = flags.length === 0 ? [] : await generations.compacted(history.place, survey)
  const { tiles } = withCompacted(history, found, unbounded, undefined)
  const wanted = await cutHistory(deps, tiles, unbounded, options)
  const { holes, overlaps, missingHead } = auditPartition(
    { ...history, tiles: wanted },
    { clusterId: undefined, topicId: undefined },
  )
  if (holes.length + overlaps.length > 0 || missingHead !== undefined)
    throw new Error('the files do not tile the history')
  const records: DigestRecord[] = []
  for (const { key, from, to, records: count } of wanted) {
    const own = (await recordsIn(store, [key])).filter(({ offset }) => offset >= from && offset < to)
    if (own.length !== count) throw new Error(`${key} has ${own.length} records, and the plan says ${count}`)
    records.push(...own)
  }
  return records
}
