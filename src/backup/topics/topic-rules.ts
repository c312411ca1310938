import { UnreadableLine, parseRuleFile } from '../../config/rule-file.ts'
import type { ParsedRule } from '../../config/rule-file.ts'
import { readStorageClass } from '../../config/storage-class.ts'
import { Unreadable } from '../../config/unreadable.ts'
import type { Disk } from '../../runtime/disk.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { Keeping } from '../../storage/port.ts'
import type { RotationLimits } from '../chain/rotation.ts'
import { readTags } from './topic-rule-keeping.ts'
import { backupOptions } from '../options.ts'

/** What a file says of the topics that match. */
export interface TopicRule {
  /** Instead of what the command line says. */
  readonly limits: Partial<RotationLimits>
  /** How the store is to keep their files; undefined for its usual way. */
  readonly keeping: Keeping | undefined
}

/** Rules for single topics, beside the options that hold for all. */
export interface TopicRules {
  readonly count: number
  /** True when a rule asks for something that only some stores know. */
  readonly saysHowToKeep: boolean
  /** The first rule whose regex matches the name. */
  of(topic: string): TopicRule
}

const noRule: TopicRule = { limits: {}, keeping: undefined }
export const noTopicRules: TopicRules = { count: 0, saysHowToKeep: false, of: () => noRule }

const { minFileSize, maxFileSize, maxFileRecords, maxFileAge } = backupOptions.options

/** How each setting of a rule is read; the same words as on the command line mean the same. */
const settings: Readonly<Record<string, (text: string, rule: Draft) => void>> = {
  'min-file-size': (text, { limits }) => (limits.minFileSize = minFileSize.kind.read([text])),
  'max-file-size': (text, { limits }) => (limits.maxFileSize = maxFileSize.kind.read([text])),
  'max-file-records': (text, { limits }) => (limits.maxFileRecords = maxFileRecords.kind.read([text])),
  'max-file-age': (text, { limits }) => (limits.maxFileAge = maxFileAge.kind.read([text])),
  'storage-class': (text, { keeping }) => (keeping.storageClass = readStorageClass(text)),
  tags: (text, { keeping }) => (keeping.tags = readTags(text)),
}

interface Draft {
  readonly limits: { -readonly [K in keyof RotationLimits]?: RotationLimits[K] }
  readonly keeping: { -readonly [K in keyof Keeping]: Keeping[K] }
}

/** The rules of the file; none without one. Throws USAGE with the line that cannot be understood. */
export async function readTopicRules(disk: Pick<Disk, 'read'>, path: string | undefined): Promise<TopicRules> {
  if (path === undefined) return noTopicRules
  const content = await disk.read(path).catch((cause: unknown) => {
    throw new MaxbrodError('USAGE', `--topic-rules: cannot read ${path}`, { cause, path })
  })
  if (content === undefined) throw new MaxbrodError('USAGE', `--topic-rules: there is no file ${path}`, { path })
  return parseTopicRules(content.toString('utf8'), path)
}

/** See parseRuleFile for how rules are written. */
export function parseTopicRules(text: string, path: string): TopicRules {
  const rules = parse(text, path).map(({ regex, draft: { limits, keeping } }) => {
    const isPlain = keeping.storageClass === undefined && keeping.tags === undefined
    return { regex, rule: { limits, keeping: isPlain ? undefined : keeping } }
  })
  return {
    count: rules.length,
    saysHowToKeep: rules.some(({ rule }) => rule.keeping !== undefined),
    of: topic => rules.find(({ regex }) => regex.test(topic))?.rule ?? noRule,
  }
}

function parse(text: string, path: string): ParsedRule<Draft>[] {
  try {
    return parseRuleFile(text, { begin: () => ({ limits: {}, keeping: {} }), settings, unknown })
  } catch (error) {
    if (!(error instanceof UnreadableLine)) throw error
    const { line, message, hint } = error
    throw new MaxbrodError('USAGE', `--topic-rules: ${path}, line ${line}: ${message}`, { hint, path })
  }
}

function unknown(name: string): Unreadable | undefined {
  if (name !== 'prefix') return undefined
  const hint =
    'all files of a topic lie below <topic>/ already, which lifecycle rules can name; where names do not tell, use tags'
  return new Unreadable('a prefix of its own would take a topic out of the backup', hint)
}
