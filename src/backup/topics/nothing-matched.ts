import { nearest } from '../../config/nearest.ts'
import { regexText } from '../../config/regex.ts'
import { aclCommand } from '../../kafka/port/acl-command.ts'
import type { TopicDescription } from '../../kafka/port/admin.ts'
import type { BackedUpTopics } from './selection.ts'
import { backupSelection } from './selection.ts'

/** A backup that takes no topic of its cluster. */
export interface NothingMatched {
  readonly message: string
  readonly hint: string
  /** Somebody named topics: an empty cluster is none's mistake. */
  readonly isMistake: boolean
}

/** What to say of a selection that takes none of the topics; undefined when it takes one. Pure. */
export function nothingMatched(
  options: BackedUpTopics,
  topics: readonly TopicDescription[],
): NothingMatched | undefined {
  const selection = backupSelection(options)
  if (topics.some(topic => selection.matches(topic))) return undefined
  const texts = options.topics.map(regexText)
  if (texts.every(text => text === '.*') && options.excludeTopics.length === 0) {
    const hint = `it may have none yet; a user without the right to describe topics sees none: ${aclCommand(['Read', 'Describe', 'DescribeConfigs'], [{ topic: '*' }])}`
    return { message: 'the cluster shows no topic to back up', hint, isMistake: false }
  }
  const named = `--topics ${texts.join(', ')}`
  const leftOut = topics.filter(({ name }) => options.topics.some(regex => regex.test(name)))
  if (leftOut.length > 0) {
    const message = `all that ${named} matches is internal, or left out by --exclude-topics: ${leftOut.length} topics`
    return { message, hint: 'maxbrod topics says of each why', isMistake: true }
  }
  const near = texts.flatMap(
    text =>
      nearest(
        text,
        topics.map(({ name }) => name),
      ) ?? [],
  )
  const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : 'maxbrod topics lists those that this user sees'
  return { message: `${named} matches none of the ${topics.length} topics of the cluster`, hint, isMistake: true }
}
