import { regexList } from '../../config/kinds-of-list.ts'
import { looseRegexes } from '../../config/kinds-of-others.ts'
import { flag, text } from '../../config/kinds-of-text.ts'
import { kindOfOne, one } from '../../config/option.ts'
import { section } from '../../config/section.ts'
import type { Values } from '../../config/section.ts'
import { parseTime } from '../../config/time.ts'
import { Unreadable } from '../../config/unreadable.ts'

/** Where a backup is to begin with partitions that it has nothing of yet. */
export type ResetTo =
  | { readonly kind: 'beginning' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly ms: number }

export const resetOptions = section('reset', {
  to: one(kindOfOne({ name: 'text', placeholder: 'beginning|TIME|OFFSET' }, parseResetTo), {
    isRequired: true,
    doc: 'Where to begin: `beginning`, the first record of a time (2026-11-21T05:30:00Z) or later, or an offset. A number is an offset.',
  }),
  confirm: flag({ doc: 'Do it. Without it the table only says what would be done.' }),
  topics: regexList({
    default: ['.*'],
    foreign: [{ env: 'KAFKA_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics to reset: regexes of whole names, as for maxbrod backup.',
  }),
  excludeTopics: regexList({
    foreign: [{ env: 'KAFKA_EXCLUDE_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics to leave as they are, even if --topics matches them.',
  }),
  includeInternal: flag({ isAdvanced: true, doc: "Kafka's internal topics, too, as for maxbrod backup." }),
  groupId: text({
    default: 'maxbrod',
    placeholder: 'GROUP',
    env: ['KAFKA_GROUP_ID'],
    doc: 'Consumer group of the workers. It must have no members.',
  }),
})

export type ResetOptions = Values<typeof resetOptions>

function parseResetTo(given: string): ResetTo {
  if (given.toLowerCase() === 'beginning') return { kind: 'beginning' }
  if (!/^\d+$/.test(given)) return { kind: 'time', ms: parseTime(given) }
  const offset = Number(given)
  if (!Number.isSafeInteger(offset)) throw new Unreadable(`'${given}' is above every offset`)
  return { kind: 'offset', offset }
}
