import { createHash } from 'node:crypto'
import { chainName } from '../format/plan.ts'
import type { PlanEnd, PlanFile } from '../format/plan.ts'
import { planPartitionOf } from '../format/plan-partition.ts'
import type { ChainState, PlanState } from './plan-state.ts'
import { restOfChain } from './rest-of-chain.ts'
import type { SurveyedTile } from './surveyed-tile.ts'
import type { WantedChain } from './wanted-chain.ts'

/** Identifies what one planner run saw and wanted: the same input gives the same id (docs/formats.md, "Plan"). */
export function planIdOf(
  selection: object,
  mapping: object,
  targetIds: readonly string[],
  chains: readonly WantedChain[],
): string {
  // Once each: a file that is taken in two parts is one file.
  const objects = new Set(chains.flatMap(({ tiles }) => tiles.map(({ key, etag }) => `${key} ${etag}`)))
  const text = JSON.stringify([selection, mapping, targetIds.toSorted(), [...objects].toSorted()])
  return createHash('sha256').update(text).digest('hex')
}

/** The file records that a plan topic lacks, by plan partition and in order. Pure: two planners with the same view agree. */
export function missingFiles(
  planId: string,
  chains: readonly WantedChain[],
  state: PlanState,
): Map<number, PlanFile[]> {
  const missing = new Map<number, PlanFile[]>()
  const ends = new Map<string, ChainEnd>()
  for (const chain of chains) {
    const name = chainName(chain.target)
    const { lastIndex = -1, records = 0 } = state.chains.get(name) ?? {}
    const end = ends.get(name) ?? { lastIndex, records }
    const files = missingOfChain(planId, chain, state.chains.get(name), end)
    const last = files.at(-1)
    if (last === undefined) continue
    ends.set(name, { lastIndex: last.index, records: last.recordsBefore + last.records })
    const partition = planPartitionOf(name, state.partitions.length)
    const those = missing.get(partition)
    if (those === undefined) missing.set(partition, files)
    else for (const file of files) those.push(file)
  }
  return missing
}

/** Where the files of a chain go on. */
type ChainEnd = Pick<ChainState, 'lastIndex' | 'records'>

function missingOfChain(
  planId: string,
  chain: WantedChain,
  planned: ChainState | undefined,
  { lastIndex, records }: ChainEnd,
): PlanFile[] {
  const { source, target } = chain
  // The same object for all files: there may be a hundred thousand of them.
  const from = { topic: source.topic, topicId: source.sourceTopicId, partition: source.partition }
  let recordsBefore = records
  return restOfChain(chain, planned).tiles.map((tile, position) => {
    const file: PlanFile = {
      kind: 'file',
      planId,
      source: from,
      target,
      object: { key: tile.key, etag: tile.etag, bytes: tile.bytes },
      covers: { from: tile.wholeFrom ?? tile.from, to: tile.wholeTo ?? tile.to },
      records: tile.records,
      recordsBefore,
      lastOffset: tile.records === 0 ? undefined : tile.dataEnd - 1,
      slice: isPart(tile) ? { fromOffset: tile.from, toOffset: tile.to } : undefined,
      index: lastIndex + 1 + position,
    }
    recordsBefore += tile.records
    return file
  })
}

function isPart({ wholeFrom, wholeTo }: SurveyedTile): boolean {
  return wholeFrom !== undefined || wholeTo !== undefined
}

/** The end record that a plan partition lacks once all its files are there; undefined when it closes with the right one. */
export function missingEnd(planId: string, partition: number, state: PlanState): PlanEnd | undefined {
  const own = [...state.chains].filter(([, chain]) => chain.partition === partition)
  const partitions: PlanEnd['partitions'] = Object.fromEntries(
    own.map(([name, { lastIndex, records }]) => [name, { index: lastIndex, records }]),
  )
  const present = state.partitions[partition]?.end?.partitions
  const isThere =
    present !== undefined &&
    Object.keys(present).length === own.length &&
    own.every(
      ([name, { lastIndex, records }]) => present[name]?.index === lastIndex && present[name].records === records,
    )
  return isThere ? undefined : { kind: 'end', planId, partitions }
}
