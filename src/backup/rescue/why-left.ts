import type { ChainEnd } from '../../catalog/chain-walk.ts'
import type { SpoolHead } from '../spool/spool-notes.ts'

/** What there is to say of a tile of the spool that was not uploaded where nobody may read its records again. */
export type WhyLeft =
  /** The store has its offsets in files of somebody else. */
  | { readonly kind: 'durable' }
  /** From here on the store does not have it, and as things are it cannot take it. */
  | { readonly kind: 'stuck'; readonly from: number; readonly reason: string }

export type ChainSeen = Pick<ChainEnd, 'end' | 'nextFrom'>

type Tile = Pick<SpoolHead, 'from' | 'origin' | 'group' | 'topicId'> & {
  /** Undefined where nothing of it is whole. */
  readonly to: number | undefined
}

/**
 * Why a tile does not continue its chain: only one that begins where the chain ends can be added to it. A chain without files
 * is begun by the first tile of all. `group` is that of the worker. Pure.
 */
export function whyLeft(
  { from, to, origin, group: readFor, topicId }: Tile,
  chain: ChainSeen | undefined,
  group: string,
): WhyLeft {
  const stuck = (reason: string, at = from) => ({ kind: 'stuck', from: at, reason }) as const
  if (to === undefined) return stuck('nothing of it is whole')
  const { end, nextFrom = Infinity } = chain ?? { end: origin }
  if (chain !== undefined && to <= end) return { kind: 'durable' }
  if (topicId === undefined) return stuck('its broker has no topic ids: which topic of that name it is of is not known')
  if (readFor !== group) return stuck(`it was read for group ${readFor}: give that as --group-id`)
  if (chain === undefined && from > end) return stuck(`the store has no file of what lies before it, from ${end} on`)
  if (from > end) return stuck(`the files in the store end at ${end}, and what lies between is missing`)
  if (from < end) return stuck(`the files in the store end inside of it, at ${end}`, end)
  if (to > nextFrom) return stuck(`a file in the store begins inside of it, at ${nextFrom}`)
  return stuck('another worker adds files there now')
}
