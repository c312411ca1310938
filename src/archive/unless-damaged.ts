import { problemOf } from './survey.ts'

/** What is read; undefined for a damaged object, whose problem is told: what it cannot tell, others do. */
export async function unlessDamaged<T>(
  reading: Promise<T>,
  onDamage?: (problem: string) => void,
): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    onDamage?.(problem)
    return undefined
  }
}
