import type { ClusterAdmin, ConfigEntry } from '../../kafka/port/admin.ts'
import { isMaxbrodError } from '../../runtime/errors.ts'

export interface VisibleConfigs {
  readonly configs: ReadonlyMap<string, readonly ConfigEntry[]>
  /** Topics whose configs this user may not see. */
  readonly hidden: readonly string[]
}

/**
 * The configs of topics, as far as this user may see them. One that may not be seen fails the question for all: then halves
 * are asked for, so that a few among thousands cost few requests.
 */
export async function visibleConfigs(
  admin: Pick<ClusterAdmin, 'topicConfigs'>,
  names: readonly string[],
): Promise<VisibleConfigs> {
  if (names.length === 0) return { configs: new Map(), hidden: [] }
  try {
    return { configs: await admin.topicConfigs(names), hidden: [] }
  } catch (error) {
    if (!isMaxbrodError(error, 'KAFKA_AUTH')) throw error
  }
  if (names.length === 1) return { configs: new Map(), hidden: names }
  const middle = Math.ceil(names.length / 2)
  const first = await visibleConfigs(admin, names.slice(0, middle))
  const second = await visibleConfigs(admin, names.slice(middle))
  return {
    configs: new Map([...first.configs, ...second.configs]),
    hidden: [...first.hidden, ...second.hidden],
  }
}
