import type { ClusterAdmin, GroupOffsetsAnswer } from '../kafka/port/admin.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { Entry } from './entries.ts'
import { mayReplace } from './translate.ts'
import type { CommitRules } from './translate.ts'
import { isTranslated } from './verdict.ts'
import type { Verdict } from './verdict.ts'

/** An entry and what was found for it. */
export interface Translated {
  readonly entry: Entry
  readonly verdict: Verdict
}

/** What is to be done with one group of the target. */
export interface GroupDecision {
  /** To be committed now: those that are not there already. */
  readonly commits: readonly Translated[]
  readonly verdicts: readonly Translated[]
}

/**
 * What becomes of a group whose offsets were translated. A group that has another offset in one of the partitions is left alone as a
 * whole: somebody uses it. Pure.
 */
export function decideGroup(
  translated: readonly Translated[],
  there: GroupOffsetsAnswer,
  rules: CommitRules,
): GroupDecision {
  const group = translated[0]?.entry.targetGroup ?? ''
  const denied = there.failed.get(group)
  if (denied !== undefined) return { commits: [], verdicts: translated.map(one => asFailed(one, denied)) }
  const present = there.offsets.get(group) ?? new PartitionMap()
  const decided = translated.map(one => ({
    one,
    decision: isTranslated(one.verdict)
      ? mayReplace(present.get(one.entry.target), { ...one.entry, offset: one.verdict.to ?? 0 }, rules)
      : ('nothing' as const),
  }))
  const isLeft = decided.some(({ decision }) => typeof decision === 'object')
  if (!isLeft) {
    const commits = decided.flatMap(({ one, decision }) => (decision === 'commit' ? [one] : []))
    return { commits, verdicts: translated }
  }
  const verdicts = decided.map(({ one, decision }): Translated => {
    if (decision === 'nothing' || decision === 'there already') return one
    const reason = typeof decision === 'object' ? decision.leave : 'the group has other offsets already'
    return { entry: one.entry, verdict: { ...one.verdict, kind: 'already-has-offsets', reason } }
  })
  return { commits: [], verdicts }
}

/** Commits for one group, in as few requests as can be; answers the verdicts, with what the broker refused. Never throws for it. */
export async function commitGroup(
  admin: ClusterAdmin,
  { commits, verdicts }: GroupDecision,
): Promise<readonly Translated[]> {
  const [first] = commits
  if (first === undefined) return verdicts
  const offsets = new PartitionMap(
    commits.map(({ entry, verdict }) => [entry.target, { offset: verdict.to ?? 0, metadata: entry.metadata }] as const),
  )
  const committed = new Set(commits)
  try {
    const refused = await admin.commitFromOutside(first.entry.targetGroup, offsets)
    return verdicts.map(one => {
      const error = committed.has(one) ? refused.get(one.entry.target) : undefined
      return error === undefined ? one : asFailed(one, error)
    })
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    const isActive = error.code === 'GROUP_ACTIVE'
    const kind = isActive ? 'group-active' : 'failed'
    const reason = isActive ? `stop its members, and run this again: ${messageOf(error)}` : messageOf(error)
    return verdicts.map(one =>
      committed.has(one) ? { entry: one.entry, verdict: { ...one.verdict, kind, reason } } : one,
    )
  }
}

function asFailed({ entry, verdict }: Translated, reason: string): Translated {
  return { entry, verdict: { ...verdict, kind: 'failed', reason } }
}
