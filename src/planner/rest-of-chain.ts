import type { Hole } from '../catalog/tiling.ts'
import type { PlanFile } from '../format/plan.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { isOfSource, isSameIncarnation } from './plan-state.ts'
import type { ChainState, SourceState } from './plan-state.ts'
import type { SurveyedTile } from './surveyed-tile.ts'
import { compactedOf, generationOf } from './use-compacted.ts'
import type { WantedChain } from './wanted-chain.ts'

/** What of a chain's files is not planned yet. */
export interface RestOfChain {
  readonly tiles: readonly SurveyedTile[]
  /** Offsets between what is planned and the first file that is not: its files were there once, and are gone. */
  readonly hole: Hole | undefined
}

/**
 * Where a plan goes on: behind the offsets that are planned. Throws PLAN_FOREIGN when the files are not the ones that the
 * chain began with: those of another topic or incarnation, a file that was rewritten and now reaches further, or another
 * lineage from an offset on that is planned; and when there are files now where there was a hole, or before what was wanted
 * then. Pure.
 */
export function restOfChain(chain: WantedChain, whole: ChainState | undefined): RestOfChain {
  const { source, target, tiles } = chain
  const planned = sourceStateOf(chain, whole)
  if (planned === undefined) {
    const stranger = whole?.sources.find(other => !mayJoin(chain, other))?.source
    if (stranger === undefined) return { tiles, hole: undefined }
    throw new MaxbrodError(
      'PLAN_FOREIGN',
      `${partitionName(target)} is planned from ${partitionName(stranger)} of topic id ${stranger.topicId}, not from ${partitionName(source)} of ${source.sourceTopicId}`,
      { ...target, hint: 'every restore has a plan topic of its own: use another --plan-topic' },
    )
  }
  const cut = tiles.find(({ lineage }) => (lineage ?? -1) > (planned.lineage ?? -1))
  if (cut !== undefined && cut.origin < planned.nextOffset) {
    throw new MaxbrodError(
      'PLAN_FOREIGN',
      `${partitionName(target)} is planned up to offset ${planned.nextOffset - 1}, and Kafka lost the records from ${cut.origin} on in an unclean leader election`,
      { ...target, hint: 'plan again into a new --plan-topic' },
    )
  }
  let end = planned.nextOffset
  const rest: SurveyedTile[] = []
  for (const tile of tiles) {
    if (tile.to > planned.nextOffset && tile.from >= planned.nextOffset) rest.push(tile)
    else if (tile.dataEnd <= planned.nextOffset) {
      requirePlanned(tile, planned, target)
      end = Math.max(end, tile.to)
    } else {
      throw new MaxbrodError(
        'PLAN_FOREIGN',
        `${tile.key} was planned up to offset ${planned.nextOffset - 1}, and now has records up to ${tile.dataEnd - 1}`,
        { ...target, key: tile.key, hint: 'somebody rewrote it: plan again into a new --plan-topic' },
      )
    }
  }
  const entered = rest.find(({ key }) => compactedOf(key) !== undefined && compactedOf(key) !== generationOf(planned))
  if (entered !== undefined) {
    throw new MaxbrodError(
      'PLAN_FOREIGN',
      `${partitionName(target)} is planned up to offset ${planned.nextOffset - 1}, and ${entered.key} leaves out what follows on that`,
      { ...target, key: entered.key, hint: 'plan again: another planner was at work' },
    )
  }
  const [next] = rest
  return { tiles: rest, hole: next !== undefined && next.from > end ? { from: end, to: next.from } : undefined }
}

/** Throws PLAN_FOREIGN for records below the end of the plan that are no part of it: a plan goes on only behind its end. */
function requirePlanned(
  { key, from, dataEnd }: SurveyedTile,
  { ranges }: SourceState,
  target: PlanFile['target'],
): void {
  // The ranges are in order: the first one that ends behind `from` is the only one that can hold it.
  const next = ranges.find(({ to }) => to > from)
  if (dataEnd <= from || (next !== undefined && next.from <= from && dataEnd <= next.to)) return
  const lacking =
    next === undefined || next.from > from ? { from, to: next?.from ?? dataEnd } : { from: next.to, to: dataEnd }
  const to = Math.min(lacking.to, dataEnd)
  throw new MaxbrodError(
    'PLAN_FOREIGN',
    `${partitionName(target)}: offsets ${lacking.from} to ${to - 1} have a file now, ${key}, and were not planned`,
    {
      ...target,
      key,
      from: lacking.from,
      to,
      hint: 'a plan goes on only behind its end: plan again into a new --plan-topic',
    },
  )
}

/** How far the chain's source is planned; undefined when nothing of it is. */
export function sourceStateOf({ source }: WantedChain, whole: ChainState | undefined): SourceState | undefined {
  const { topic, partition, sourceTopicId, topicId: folderId } = source
  return whole?.sources.find(one => isOfSource(one, { topic, partition, topicId: sourceTopicId }, folderId))
}

function mayJoin({ source, joins }: WantedChain, other: SourceState): boolean {
  return (
    source.topic === other.source.topic &&
    (joins.partitions || source.partition === other.source.partition) &&
    (joins.incarnations || isSameIncarnation(other, source.sourceTopicId, source.topicId))
  )
}
