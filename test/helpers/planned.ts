import type { PlanEntry, PlanFile, PlanHead } from '../../src/format/plan.ts'
import { chainName } from '../../src/format/plan.ts'
import type { Joins, WantedChain } from '../../src/planner/wanted-chain.ts'
import { chainAfter } from '../../src/planner/plan-state.ts'
import type { ChainState, PlanState } from '../../src/planner/plan-state.ts'
import type { SurveyedTile } from '../../src/planner/surveyed-tile.ts'

/** Plans in memory, for decisions that need no cluster. */
export const topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'

export const joinsNothing: Joins = { partitions: false, incarnations: false }

export function surveyed(from: number, to: number, more: Partial<SurveyedTile> = {}): SurveyedTile {
  const records = more.records ?? to - from
  return {
    key: `orders/0/orders-0-${String(from).padStart(19, '0')}.avro`,
    etag: `"${from}-${to}"`,
    bytes: 100,
    from,
    to,
    wholeFrom: undefined,
    wholeTo: undefined,
    lineage: undefined,
    records,
    dataEnd: records === 0 ? from : to,
    origin: 0,
    gaps: [],
    clusterId: 'cluster',
    topicId,
    recordBytesMax: 10,
    timestampMin: undefined,
    timestampMax: undefined,
    ...more,
  }
}

export function wantedChain(partition: number, tiles: readonly SurveyedTile[], topic = 'orders'): WantedChain {
  return {
    source: { topic, topicId: undefined, partition, lineage: undefined, sourceTopicId: topicId },
    target: { topic, partition },
    tiles,
    joins: joinsNothing,
  }
}

export function planHead(more: Partial<PlanHead> = {}): PlanHead {
  return {
    kind: 'head',
    restoreId: 'r',
    producerId: '7',
    planPartitions: 1,
    selection: { topics: ['^(?:.*)$'], excludeTopics: [] },
    mapping: { targetPrefix: '', rename: [], partitionMap: 'same' },
    sourceClusterId: 'cluster',
    targetClusterId: 'other',
    hold: 'auto',
    brokerDefaults: {},
    targets: [],
    ...more,
  }
}

/** A file of chain `orders-0` with so many records. */
export function planFile(index: number, recordsBefore: number, records: number, from: number, to: number): PlanFile {
  const { key, etag, bytes } = surveyed(from, to)
  return {
    kind: 'file',
    planId: 'p',
    source: { topic: 'orders', topicId, partition: 0 },
    target: { topic: 'orders', partition: 0 },
    object: { key, etag, bytes },
    covers: { from, to },
    records,
    recordsBefore,
    lastOffset: records === 0 ? undefined : to - 1,
    slice: undefined,
    index,
  }
}

/** What a reader makes of entries that stand in these plan partitions: plan-state.ts without the cluster. */
export function stateOf(partitions: readonly (readonly PlanEntry[])[]): PlanState {
  const chains = new Map<string, ChainState>()
  const heads: PlanHead[] = []
  const states = partitions.map((entries, partition) => {
    for (const entry of entries) {
      if (entry.kind === 'head') heads.push(entry)
      if (entry.kind !== 'file') continue
      const before = chains.get(chainName(entry.target))
      if (entry.index !== (before?.lastIndex ?? -1) + 1 || entry.recordsBefore !== (before?.records ?? 0))
        throw new Error(`file ${entry.index} of ${chainName(entry.target)} is not the next one`)
      chains.set(chainName(entry.target), chainAfter(before, entry, partition))
    }
    const last = entries.at(-1)
    return { partition, logEnd: entries.length, ours: entries.length, end: last?.kind === 'end' ? last : undefined }
  })
  return { heads, partitions: states, chains }
}
