/** The consumer group of a plan's executors when nobody names another one. Planner, status and check look for it, too. */
export function usualRestoreGroup(planTopic: string): string {
  return `maxbrod.restore.${planTopic}`
}
