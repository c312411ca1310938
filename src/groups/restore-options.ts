import { pairs, regexList } from '../config/kinds-of-list.ts'
import { duration } from '../config/kinds-of-number.ts'
import { looseRegexes } from '../config/kinds-of-others.ts'
import { flag, text, time, topicName } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'

export const groupsRestoreOptions = section(
  'groupsRestore',
  {
    execute: flag({ doc: 'Commit. Without it the table only says what would be committed.' }),
    at: time({
      doc: 'Restore the groups of the last restoration point not after this. Without it those of the newest snapshot.',
    }),
    snapshot: text({
      placeholder: 'NAME',
      doc: 'Restore this snapshot: its name below @groups/, or the key of a file of kafka-data-keep.',
    }),
    groups: regexList({
      default: ['.*'],
      foreign: [{ flag: 'include-regexes', env: 'INCLUDE_REGEXES', kind: looseRegexes }],
      doc: 'Groups to restore: regexes of whole names.',
    }),
    excludeGroups: regexList({
      foreign: [{ flag: 'exclude-regexes', env: 'EXCLUDE_REGEXES', kind: looseRegexes }],
      doc: 'Groups to leave out, even if --groups matches them.',
    }),
    groupPrefix: text({
      placeholder: 'PREFIX',
      foreign: [{ flag: 'restore-groups-prefix', env: 'RESTORE_GROUPS_PREFIX' }],
      doc: 'Put this in front of the names of the restored groups.',
    }),
    targetPrefix: text({
      placeholder: 'PREFIX',
      pattern: { regex: /^[\w.-]{1,200}$/, called: 'the beginning of a topic name' },
      foreign: [{ flag: 'restore-topics-prefix', env: 'RESTORE_TOPICS_PREFIX' }],
      doc: 'Prefix of the restored topics. Without this and --rename the names are those of the plan.',
    }),
    rename: pairs({ placeholder: 'TOPIC=TOPIC', doc: 'A topic that was restored under another name, as in the plan.' }),
    planTopic: topicName({
      default: 'maxbrod.plan',
      env: ['KAFKA_PLAN_TOPIC'],
      doc: 'Topic with the plan of the restore: it tells what is still to come.',
    }),
    overwrite: flag({ doc: 'Also move groups that have other offsets already, forwards only.' }),
    allowBackwards: flag({ isAdvanced: true, doc: 'With --overwrite: move them backwards, too.' }),
    loopInterval: duration({
      default: '10s',
      min: '100ms',
      doc: 'Look this often what the restore has brought meanwhile.',
    }),
    timeout: duration({ doc: 'End after this long, whatever is still missing.' }),
    giveUpAfter: duration({
      default: '15m',
      isAdvanced: true,
      doc: 'End when nothing that is waited for was restored for this long.',
    }),
    follow: flag({
      doc: 'Go on with newer snapshots as they and their data arrive, for a standby. Moves groups forwards only.',
    }),
  },
  { heading: 'Groups' },
)

export type GroupsRestoreOptions = Values<typeof groupsRestoreOptions>
