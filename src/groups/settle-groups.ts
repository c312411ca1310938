import type { ClusterAdmin } from '../kafka/port/admin.ts'
import type { Logger } from '../observe/logger.ts'
import { newLimit } from '../runtime/limit.ts'
import { nameMembers } from '../runtime/name-members.ts'
import { commitGroup, decideGroup } from './commit-group.ts'
import type { Translated } from './commit-group.ts'
import type { CommitRules } from './translate.ts'
import { isTranslated } from './verdict.ts'

/** Groups that are committed at the same time. */
const COMMITTING = 16
const ACTIVE_STATES = ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Assigning', 'Reconciling']

/** Decides group by group and commits; without `execute` it says what it would do. One group's trouble is its own. */
export async function settleGroups(
  admin: ClusterAdmin,
  translated: readonly Translated[],
  rules: CommitRules,
  execute: boolean,
  log: Logger,
): Promise<Translated[]> {
  const byGroup = Map.groupBy(translated, ({ entry }) => entry.targetGroup)
  const names = [...byGroup.keys()]
  if (names.length === 0) return []
  const there = await admin.groupOffsets(names)
  const decisions = [...byGroup.values()].map(of => decideGroup(of, there, rules))
  if (!execute) {
    const listed = await admin.groups()
    const concerned = new Set(decisions.flatMap(({ commits }) => commits.map(({ entry }) => entry.targetGroup)))
    const active = listed.filter(({ group, state }) => concerned.has(group) && ACTIVE_STATES.includes(state ?? ''))
    const named = new Map(
      await Promise.all(active.map(async ({ group }) => [group, await membersOf(admin, group)] as const)),
    )
    return decisions.flatMap(({ commits, verdicts }) =>
      verdicts.map(one => (commits.includes(one) ? foresee(one, named) : one)),
    )
  }
  const limit = newLimit(COMMITTING)
  const settled = await Promise.all(decisions.map(decision => limit(() => commitGroup(admin, decision))))
  const results = await readBack(admin, decisions.map(({ commits }) => commits).flat(), settled.flat())
  for (const [group, of] of Map.groupBy(results, ({ entry }) => entry.targetGroup)) {
    const bad = of.find(({ verdict }) => ['group-active', 'failed', 'already-has-offsets'].includes(verdict.kind))
    if (bad !== undefined)
      log.warn({ group, verdict: bad.verdict.kind, reason: bad.verdict.reason }, 'a group was not restored')
    else log.info({ group, offsets: of.length }, 'restored a group')
  }
  return results
}

/** Their names, as the end of a sentence; the broker may keep them to itself. */
async function membersOf(admin: ClusterAdmin, group: string): Promise<string> {
  const members = await admin.members(group).catch(() => [])
  return members.length === 0 ? '' : `: ${nameMembers(members)}`
}

/** The broker decides when it comes to it; what it says of the group now is a warning. */
function foresee({ entry, verdict }: Translated, active: ReadonlyMap<string, string>): Translated {
  const named = active.get(entry.targetGroup)
  if (named === undefined) return { entry, verdict }
  const reason = `the group has members now, which are to be stopped before --execute${named}`
  return { entry, verdict: { ...verdict, kind: 'group-active', reason } }
}

/** What was committed is read once more before anybody says so. */
async function readBack(
  admin: ClusterAdmin,
  commits: readonly Translated[],
  settled: readonly Translated[],
): Promise<Translated[]> {
  const committed = new Set(commits.map(({ entry }) => entry))
  const names = [...new Set(commits.map(({ entry }) => entry.targetGroup))]
  if (names.length === 0) return [...settled]
  const { offsets } = await admin.groupOffsets(names)
  return settled.map(one => {
    const { entry, verdict } = one
    if (!committed.has(entry) || !isTranslated(verdict)) return one
    const there = offsets.get(entry.targetGroup)?.get(entry.target)
    if (there?.offset === verdict.to && there?.metadata === entry.metadata) return one
    const reason = `the group stands at ${there?.offset ?? 'nothing'} after the commit: somebody else commits, too`
    return { entry, verdict: { ...verdict, kind: 'failed', reason } }
  })
}
