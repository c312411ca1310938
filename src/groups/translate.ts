import type { Verdict } from './verdict.ts'

/** What is known of a target partition when an offset is translated. */
export interface TargetStretch {
  /** First offset that can be read of what was restored here, and the one behind the last. */
  readonly start: number
  readonly end: number
  /** True when nothing more is to come. */
  readonly isComplete: boolean
  /** The source offset behind all that the backup covers; undefined when nothing tells. */
  readonly coverEnd: number | undefined
  /** Source offset of the last restored record; undefined when there is none. */
  readonly lastSource: number | undefined
  /** True when the plan has brought records here, whatever became of them. */
  readonly hadRecords: boolean
}

/** The first restored record whose source offset is not below the saved one. */
export interface FoundRecord {
  readonly offset: number
  readonly source: number
  /** False when it is the first one that is there. */
  readonly hasBefore: boolean
}

/**
 * Where a group goes on that had committed `saved` in the source: at the first restored record with this source offset or a
 * higher one. Restored records ascend, so what was found is final even while more is coming.
 */
export function translate(saved: number, found: FoundRecord | undefined, stretch: TargetStretch): Verdict {
  const { start, end, isComplete, coverEnd, lastSource, hadRecords } = stretch
  if (found !== undefined) {
    const { offset, source, hasBefore } = found
    if (source === saved) return { kind: 'exact', to: offset, reason: '' }
    if (hasBefore) {
      const reason = `no record had offset ${saved}: the next one had ${source}`
      return { kind: 'next-after-gap', to: offset, reason }
    }
    const reason = `the first record here had offset ${source}: what lay before it is not here`
    return { kind: 'before-data', to: start, reason }
  }
  if (!isComplete) return { kind: 'waiting', reached: end, reason: 'not restored yet' }
  // What it would have read next may have been among what was deleted: no record tells.
  if (hadRecords && lastSource === undefined && saved < (coverEnd ?? Infinity))
    return { kind: 'before-data', to: start, reason: 'none of the records that were restored here is left' }
  const covered = coverEnd ?? (lastSource ?? -1) + 1
  if (saved <= covered) return { kind: 'tip', to: end, reason: 'it had read all that there is' }
  const missing = saved - covered
  const most = coverEnd === undefined ? 'at most ' : ''
  return {
    kind: 'clamped',
    to: end,
    reason: `+${missing}: it had read ${most}${missing} offsets that are not in the backup`,
  }
}

export interface CommitRules {
  readonly overwrite: boolean
  readonly allowBackwards: boolean
}

/** Whether a group's offset in the target gives way to another one. */
export function mayReplace(
  there: { readonly offset: number; readonly metadata: string } | undefined,
  wanted: { readonly offset: number; readonly metadata: string },
  { overwrite, allowBackwards }: CommitRules,
): 'commit' | 'there already' | { readonly leave: string } {
  if (there === undefined) return 'commit'
  if (there.offset === wanted.offset && there.metadata === wanted.metadata) return 'there already'
  if (!overwrite) return { leave: `the group stands at ${there.offset} already; --overwrite moves it` }
  if (there.offset <= wanted.offset || allowBackwards) return 'commit'
  return {
    leave: `the group stands at ${there.offset} already, ahead of ${wanted.offset}; --allow-backwards moves it back`,
  }
}

/** Whether a follower moves a group: never backwards. */
export function isAhead(
  there: { readonly offset: number; readonly metadata: string } | undefined,
  wanted: { readonly offset: number; readonly metadata: string },
): boolean {
  if (there === undefined || wanted.offset > there.offset) return true
  return wanted.offset === there.offset && wanted.metadata !== there.metadata
}
