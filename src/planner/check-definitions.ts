import { SoundDefinitions } from '../catalog/sound-definitions.ts'
import type { PlannerDeps } from './deps.ts'
import type { PlannerOptions } from './options.ts'
import type { WantedTarget } from './wanted-target.ts'

/** What the backup says of its topics. What cannot be read of it is passed over, and told in `warnings`. */
export function savedDefinitions({ store }: Pick<PlannerDeps, 'store'>, warnings: string[]): SoundDefinitions {
  return new SoundDefinitions(store, (_, { message }) => void warnings.push(`passed over: ${message}`))
}

/**
 * Throws OBJECT_CORRUPT when a damaged object may hold what a topic to be created should look like and nothing else tells, or
 * when warnings are refused.
 */
export function checkDefinitions(
  { firstError }: Pick<SoundDefinitions, 'firstError'>,
  targets: readonly Pick<WantedTarget, 'topic' | 'definition'>[],
  seen: ReadonlyMap<string, unknown>,
  { createTopics, strict }: Pick<PlannerOptions, 'createTopics' | 'strict'>,
): void {
  if (firstError === undefined) return
  const isGuess = targets.some(({ topic, definition }) => definition === undefined && !seen.has(topic))
  if (strict || (createTopics && isGuess)) throw firstError
}
