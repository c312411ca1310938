import { chainName } from '../format/plan.ts'
import type { PlannerDeps } from './deps.ts'
import { plannedTarget } from './head.ts'
import type { PlannedTarget } from './judge-target.ts'
import type { LeftOut } from './left-out.ts'
import type { PlannerOptions } from './options.ts'
import type { PlanState } from './plan-state.ts'
import { HELD_NOTHING, preflight } from './preflight.ts'
import type { PreflightRow, PreflightView } from './preflight.ts'
import { errorOf } from './refusal.ts'

/** Shows what is found out of all targets, before the first one is created. Throws all that is refused at once, unless it is left out. */
export async function passPreflight(
  { clock, onPreflight }: PlannerDeps,
  options: PlannerOptions,
  view: Omit<PreflightView, 'planned'>,
  before: PlanState | undefined,
  leftOut: LeftOut,
  readAgain: () => Promise<PlanState | undefined>,
): Promise<readonly PreflightRow[]> {
  const judge = (state: PlanState | undefined) =>
    preflight({ ...view, planned: target => plannedIn(state, target) }, options, clock.now())
  let { rows, refusals } = judge(before)
  // Another planner may have planned it since we looked, and executors may be at work.
  const isLate = refusals.some(({ code }) => code === 'TARGET_NOT_EMPTY') && !options.restartPlan
  if (isLate) ({ rows, refusals } = judge(await readAgain()))
  onPreflight(rows)
  const error = errorOf(refusals, { preflight: rows })
  if (error !== undefined && !leftOut.takes(rows)) throw error
  return rows
}

function plannedIn(state: PlanState | undefined, topic: string): PlannedTarget | undefined {
  const target = plannedTarget(state, topic)
  if (target === undefined) return undefined
  const recordsOf = (partition: number) => state?.chains.get(chainName({ topic, partition }))?.records ?? 0
  return { target, records: target.baseOffsets.map((_, partition) => recordsOf(partition)) }
}

/** What is worth a word; that a source held no record is told by `createEmptyTopics`. */
export function notesOf(rows: readonly PreflightRow[]): string[] {
  return rows.flatMap(({ reasons }) => reasons.filter(reason => reason !== HELD_NOTHING))
}
