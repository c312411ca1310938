import { regexList } from '../config/kinds-of-list.ts'
import { duration } from '../config/kinds-of-number.ts'
import type { Values } from '../config/section.ts'
import { text } from '../config/kinds-of-text.ts'
import { section } from '../config/section.ts'
import { headerIndex } from './header-index-option.ts'

export const coverageOptions = section('coverage', {
  topics: regexList({ default: ['.*'], doc: 'Topics to look at: regexes of whole names.' }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  lateAfter: duration({
    default: '15m',
    doc: 'Warn of offsets that a restoration point of this age knows, or Kafka has for so long, and that no file has.',
  }),
  pointLateAfter: duration({
    default: '7d',
    isAdvanced: true,
    doc: 'Warn of a newest restoration point of this age, unless Kafka says that nothing has changed since.',
  }),
  groupId: text({
    placeholder: 'GROUP',
    default: 'maxbrod',
    env: ['KAFKA_GROUP_ID'],
    doc: 'Consumer group of the workers, with --bootstrap-server: who is at work is told by it.',
  }),
  headerIndex,
})

export type CoverageOptions = Values<typeof coverageOptions>
