import { isSystemKey } from '../format/system-keys.ts'
import { chainName } from '../format/plan.ts'
import { cutHistory, unbounded } from './cut-history.ts'
import type { PlannerDeps } from './deps.ts'
import type { PlanState } from './plan-state.ts'
import { sourceStateOf } from './rest-of-chain.ts'
import type { Scanning } from './scan-file.ts'
import type { SurveyedTile } from './surveyed-tile.ts'
import type { WantedChain } from './wanted-chain.ts'

/**
 * The same chains, with files of which a part is planned already in two parts: the one that is, and the one that is not. Only
 * the very file that an earlier run has cut is taken apart, and one where originals and files that were made of them follow each
 * other; any other one that reaches over the end of the plan was rewritten.
 */
export async function splitAtPlanned(
  deps: Pick<PlannerDeps, 'store' | 'pool'>,
  chains: readonly WantedChain[],
  before: PlanState | undefined,
  scanning: Scanning,
): Promise<WantedChain[]> {
  const split: WantedChain[] = []
  for (const chain of chains) {
    const planned = before?.chains.get(chainName(chain.target))
    const { cutObject, nextOffset = 0, lastKey = '' } = sourceStateOf(chain, planned) ?? {}
    const isCut = ({ key, etag }: SurveyedTile) => key === cutObject?.key && etag === cutObject.etag
    const isSeam = ({ key }: SurveyedTile) => key !== lastKey && (isSystemKey(key) || isSystemKey(lastKey))
    const at = chain.tiles.findIndex(
      tile => tile.from < nextOffset && nextOffset < tile.to && (isCut(tile) || isSeam(tile)),
    )
    const tile = chain.tiles[at]
    if (tile === undefined) split.push(chain)
    else {
      const done = await cutHistory(deps, [tile], { ...unbounded, toOffset: nextOffset }, scanning)
      const rest = await cutHistory(deps, [tile], { ...unbounded, fromOffset: nextOffset }, scanning)
      split.push({ ...chain, tiles: chain.tiles.toSpliced(at, 1, ...done, ...rest) })
    }
  }
  return split
}
