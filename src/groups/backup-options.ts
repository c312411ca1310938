import { regexList } from '../config/kinds-of-list.ts'
import { duration } from '../config/kinds-of-number.ts'
import { plainNames } from '../config/kinds-of-others.ts'
import { flag } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'

export const groupsBackupOptions = section(
  'groupsBackup',
  {
    groups: regexList({
      default: ['.*'],
      doc: 'Groups to back up: regexes of whole names.',
    }),
    excludeGroups: regexList({
      foreign: [{ flag: 'consumer.group.exclude', kind: plainNames }],
      doc: 'Groups to leave out, even if --groups matches them.',
    }),
    interval: duration({
      default: '1m',
      min: '100ms',
      foreign: [{ flag: 'run-interval', env: 'RUN_INTERVAL' }],
      doc: 'Look this often. Something is written only when something changed.',
    }),
    once: flag({ doc: 'Look once, and end.' }),
  },
  { heading: 'Groups' },
)

export type GroupsBackupOptions = Values<typeof groupsBackupOptions>
