import type { PlanFile } from '../format/plan.ts'

/** What the target partition holds of a restore. */
export interface TargetProgress {
  /** Log end minus base: records of this restore that are there. */
  readonly count: number
  /** Source offset of the last record, if there is a record of ours; undefined when it carries none. */
  readonly tailSourceOffset: number | undefined
}

/** Where a chain goes on. */
export type ResumeVerdict =
  | GoOn
  /** All planned files are in the target. */
  | { readonly kind: 'complete' }
  /** The target holds something else than this restore put there; the n-th record of the restore is the first to be wrong. */
  | { readonly kind: 'spoiled'; readonly record: number; readonly reason: string }

/** Files before `index` are in the target; of this one, `skip` records are. */
export interface GoOn {
  readonly kind: 'go on'
  readonly index: number
  readonly skip: number
}

/**
 * Decides where a chain goes on: the truth of progress is the target's log end, cross-checked with the source offset of its
 * last record. Backwards too, when the target lost records. Pure.
 */
export function resumeAt(files: readonly PlanFile[], { count, tailSourceOffset }: TargetProgress): ResumeVerdict {
  if (count < 0)
    return { kind: 'spoiled', record: 0, reason: `it ends ${-count} records before the place where the restore began` }
  const planned = recordsOf(files)
  if (count > planned)
    return { kind: 'spoiled', record: planned, reason: `it holds ${count} records, where ${planned} are planned` }
  if (count > 0) {
    const holder = files.find(file => file.recordsBefore < count && count <= file.recordsBefore + file.records)
    const from = holder?.slice?.fromOffset ?? holder?.covers.from ?? 0
    const to = holder?.slice?.toOffset ?? holder?.covers.to ?? 0
    const record = count - 1
    if (tailSourceOffset === undefined)
      return { kind: 'spoiled', record, reason: 'its last record carries no source offset' }
    if (tailSourceOffset < from || tailSourceOffset >= to) {
      return {
        kind: 'spoiled',
        record,
        reason: `its last record has source offset ${tailSourceOffset}, where one from ${from} to ${to - 1} must stand`,
      }
    }
  }
  const next = files.find(file => file.recordsBefore + file.records > count)
  if (next === undefined) return { kind: 'complete' }
  return { kind: 'go on', index: next.index, skip: count - next.recordsBefore }
}

/** Records of a chain that is planned so far. */
export function recordsOf(files: readonly PlanFile[]): number {
  const last = files.at(-1)
  return last === undefined ? 0 : last.recordsBefore + last.records
}
