import { MaxbrodError } from '../runtime/errors.ts'

/** The error where a planner that closed its run promised another number of files or records than the plan has. */
export function otherwiseClosed(
  name: string,
  { index, records }: { readonly index: number; readonly records: number },
  chain: { readonly files: number; readonly planned: number } | undefined,
): MaxbrodError | undefined {
  if (chain?.files === index + 1 && chain.planned === records) return undefined
  const found = `${chain?.files ?? 0} files with ${chain?.planned ?? 0} records`
  return new MaxbrodError(
    'PLAN_CORRUPT',
    `the plan of ${name} closes with ${index + 1} files and ${records} records, and has ${found}`,
    { hint: 'plan again into a new --plan-topic' },
  )
}

/** Nothing is ever deleted from a plan topic. */
export function shortened(planTopic: string, partition: number, position: number, end: number): MaxbrodError {
  return new MaxbrodError(
    'PLAN_FOREIGN',
    `${planTopic}-${partition} ended at ${position} and now ends at ${end}: it is not the plan topic that it was`,
    { hint: 'restore from a plan topic that nobody deletes or cuts; plan again into a new --plan-topic' },
  )
}
