import { regexList } from '../config/kinds-of-list.ts'
import { duration } from '../config/kinds-of-number.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { headerIndex } from './header-index-option.ts'

export const coverageOptions = section('coverage', {
  topics: regexList({ default: ['.*'], doc: 'Topics to look at: regexes of whole names.' }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  lateAfter: duration({
    default: '15m',
    doc: 'Warn of offsets that a restoration point of this age knows, and that no file has.',
  }),
  headerIndex,
})

export type CoverageOptions = Values<typeof coverageOptions>
