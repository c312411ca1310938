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
  // The SHA-256 of one JSON text, which would be too large to be kept: a backup has a hundred thousand files and more.
  const hash = createHash('sha256')
  hash.update(`[${[selection, mapping, targetIds.toSorted()].map(part => JSON.stringify(part)).join(',')},[`)
  const tiles = chains.flatMap(chain => chain.tiles).sort((a, b) => compare(a.key, b.key) || compare(a.etag, b.etag))
  let last: SurveyedTile | undefined
  for (const tile of tiles) {
    // Once each: a file that is taken in two parts is one file.
    if (last?.key === tile.key && last.etag === tile.etag) continue
    hash.update(`${last === undefined ? '' : ','}${JSON.stringify(`${tile.key} ${tile.etag}`)}`)
    last = tile
  }
  return hash.update(']]').digest('hex')
}

/** As texts sort, one character after the other. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * The file records that a plan topic lacks, by plan partition and in order. Each is made when its turn comes: there may be a
 * hundred thousand. Pure: two planners with the same view agree.
 */
export function missingFiles(
  planId: string,
  chains: readonly WantedChain[],
  state: PlanState,
): Map<number, Iterable<PlanFile>> {
  const missing = new Map<number, Rest[]>()
  const ends = new Map<string, ChainEnd>()
  for (const chain of chains) {
    const name = chainName(chain.target)
    const planned = state.chains.get(name)
    const { lastIndex = -1, records = 0 } = planned ?? {}
    const end = ends.get(name) ?? { lastIndex, records }
    const { tiles } = restOfChain(chain, planned)
    if (tiles.length === 0) continue
    ends.set(name, {
      lastIndex: end.lastIndex + tiles.length,
      records: tiles.reduce((sum, tile) => sum + tile.records, end.records),
    })
    const partition = planPartitionOf(name, state.partitions.length)
    const rest = { chain, tiles, end }
    const those = missing.get(partition)
    if (those === undefined) missing.set(partition, [rest])
    else those.push(rest)
  }
  return new Map(
    [...missing].map(([partition, rests]) => [partition, { [Symbol.iterator]: () => filesOf(planId, rests) }]),
  )
}

/** Where the files of a chain go on. */
type ChainEnd = Pick<ChainState, 'lastIndex' | 'records'>

interface Rest {
  readonly chain: WantedChain
  readonly tiles: readonly SurveyedTile[]
  /** What is planned before them. */
  readonly end: ChainEnd
}

function* filesOf(planId: string, rests: readonly Rest[]): Generator<PlanFile> {
  for (const { chain, tiles, end } of rests) {
    const { source, target } = chain
    const from = { topic: source.topic, topicId: source.sourceTopicId, partition: source.partition }
    let { lastIndex: index, records: recordsBefore } = end
    for (const tile of tiles) {
      index++
      yield {
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
        index,
      }
      recordsBefore += tile.records
    }
  }
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
