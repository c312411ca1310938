import type { Hole } from '../catalog/tiling.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { ChainState } from './plan-state.ts'
import type { SurveyedTile } from './survey.ts'
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
 * lineage from an offset on that is planned. Pure.
 */
export function restOfChain({ source, target, tiles }: WantedChain, planned: ChainState | undefined): RestOfChain {
  if (planned === undefined) return { tiles, hole: undefined }
  const { topic, partition, topicId } = planned.source
  const isSameTopic = topicId === undefined || source.sourceTopicId === undefined || topicId === source.sourceTopicId
  if (topic !== source.topic || partition !== source.partition || !isSameTopic) {
    throw new MaxbrodError(
      'PLAN_FOREIGN',
      `${partitionName(target)} is planned from ${topic}-${partition} of topic id ${topicId}, not from ${partitionName(source)} of ${source.sourceTopicId}`,
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
    else if (tile.dataEnd <= planned.nextOffset) end = Math.max(end, tile.to)
    else {
      throw new MaxbrodError(
        'PLAN_FOREIGN',
        `${tile.key} was planned up to offset ${planned.nextOffset - 1}, and now has records up to ${tile.dataEnd - 1}`,
        { ...target, key: tile.key, hint: 'somebody rewrote it: plan again into a new --plan-topic' },
      )
    }
  }
  const [next] = rest
  return { tiles: rest, hole: next !== undefined && next.from > end ? { from: end, to: next.from } : undefined }
}
