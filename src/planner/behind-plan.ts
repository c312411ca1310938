import { chainName } from '../format/plan.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { PlannerOptions } from './options.ts'
import type { PlanState } from './plan-state.ts'
import { restOfChain, sourceStateOf } from './rest-of-chain.ts'
import type { WantedChain } from './wanted-chain.ts'

/**
 * What a planned chain lost between its last planned file and the next one that is there: a hole that the files alone do
 * not show. Throws TILING_HOLE unless it was accepted by name; returns the warnings for those that were.
 */
export function holesBehindPlan(
  chains: readonly WantedChain[],
  before: PlanState | undefined,
  { acceptGaps }: PlannerOptions,
): string[] {
  return chains.flatMap(chain => {
    const { hole } = restOfChain(chain, before?.chains.get(chainName(chain.target)))
    if (hole === undefined) return []
    const name = partitionName(chain.source)
    const what = `${name}: offsets ${hole.from} to ${hole.to - 1} are behind what is planned, and their files are gone`
    if (acceptGaps.includes(name)) return [`${what}, which was accepted`]
    throw new MaxbrodError('TILING_HOLE', what, {
      topic: chain.source.topic,
      partition: chain.source.partition,
      ...hole,
      hint: `put them back from the bucket’s versions, or accept the loss with --accept-gaps ${name}`,
    })
  })
}

/**
 * Incarnations of a topic follow each other in a target. Throws PLAN_FOREIGN when one of them would have to go on behind files of
 * a later one.
 */
export function checkOrder(chains: readonly WantedChain[], before: PlanState | undefined): void {
  const byTarget = Map.groupBy(
    chains.filter(({ joins }) => joins.incarnations),
    ({ target }) => chainName(target),
  )
  for (const [name, own] of byTarget) {
    const planned = before?.chains.get(name)
    for (const [n, chain] of own.entries()) {
      if (restOfChain(chain, planned).tiles.length === 0) continue
      const isOvertaken = own
        .slice(n + 1)
        .some(
          later =>
            later.source.sourceTopicId !== chain.source.sourceTopicId && sourceStateOf(later, planned) !== undefined,
        )
      if (isOvertaken)
        throw new MaxbrodError(
          'PLAN_FOREIGN',
          `${name} is planned with files of a later incarnation than ${chain.source.sourceTopicId}, which has more`,
          { ...chain.target, hint: 'plan again into a new --plan-topic' },
        )
    }
  }
}
