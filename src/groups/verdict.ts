/** What becomes of one saved offset. All but `waiting` are final. */
export const VERDICTS = [
  'exact',
  'next-after-gap',
  'tip',
  'clamped',
  'before-data',
  'topic-missing',
  'group-active',
  'already-has-offsets',
  'failed',
  'skipped',
  'waiting',
] as const

export type VerdictKind = (typeof VERDICTS)[number]

export interface Verdict {
  readonly kind: VerdictKind
  /** The offset in the target; undefined when none can be named. */
  readonly to?: number | undefined
  /** While it is waited for: where what has come so far ends. */
  readonly reached?: number
  readonly reason: string
}

/** These leave nothing to look after. */
export function isClean({ kind }: Verdict): boolean {
  return kind === 'exact' || kind === 'tip' || kind === 'skipped'
}

/** True for what was found in the target, and is to be committed. */
export function isTranslated({ kind }: Verdict): boolean {
  return ['exact', 'next-after-gap', 'tip', 'clamped', 'before-data'].includes(kind)
}
