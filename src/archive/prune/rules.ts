import { UnreadableLine, parseRuleFile } from '../../config/rule-file.ts'
import type { ParsedRule } from '../../config/rule-file.ts'
import { cleanupPolicies } from '../../format/snapshot/topic-definitions.ts'
import type { TopicDefinition } from '../../format/snapshot/topic-definitions.ts'
import type { Disk } from '../../runtime/disk.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { keepKind, pruneOptions } from './options.ts'
import type { Keep, PruneOptions } from './options.ts'

/** What is to be kept of a topic, as somebody said it. */
export interface KeepRule {
  readonly keep: Keep | undefined
  readonly keepBytes: number | undefined
}

/** When a file may go: all of these must say so. `says` is what keeps a file then. */
export interface Limits {
  /** Its newest record is older than that. */
  readonly keepMs: number | undefined
  /** So many bytes are newer than it. */
  readonly keepBytes: number | undefined
  /** The limits of the topic in Kafka, of which one is enough there. */
  readonly source: { readonly keepMs: number | undefined; readonly keepBytes: number | undefined } | undefined
}

/** Or why nothing of a topic goes. */
export type TopicRule = Limits | { readonly keepsAll: string }

export type KeepRules = (topic: string) => KeepRule

type Draft = { -readonly [K in keyof KeepRule]: KeepRule[K] }

const settings: Readonly<Record<string, (text: string, rule: Draft) => void>> = {
  keep: (text, rule) => (rule.keep = keepKind.read([text])),
  'keep-bytes': (text, rule) => (rule.keepBytes = pruneOptions.options.keepBytes.kind.read([text])),
}

/** What holds for each topic. Throws USAGE when nothing says what to keep, and for a file that cannot be understood. */
export async function readKeepRules(
  disk: Pick<Disk, 'read'>,
  {
    keep,
    keepBytes,
    keepRules: path,
    superseded,
  }: Pick<PruneOptions, 'keep' | 'keepBytes' | 'keepRules' | 'superseded'>,
): Promise<KeepRules> {
  if (keep === undefined && keepBytes === undefined && path === undefined && !superseded)
    throw new MaxbrodError('USAGE', 'nothing says what to keep', {
      hint: 'for instance --keep 30d, --keep as-source, --keep-rules FILE, or --superseded',
    })
  const rules = path === undefined ? [] : parse(await contentOf(disk, path), path)
  return topic => rules.find(({ regex }) => regex.test(topic))?.draft ?? { keep, keepBytes }
}

async function contentOf(disk: Pick<Disk, 'read'>, path: string): Promise<string> {
  const content = await disk.read(path).catch((cause: unknown) => {
    throw new MaxbrodError('USAGE', `--keep-rules: cannot read ${path}`, { cause, path })
  })
  if (content === undefined) throw new MaxbrodError('USAGE', `--keep-rules: there is no file ${path}`, { path })
  return content.toString('utf8')
}

function parse(text: string, path: string): ParsedRule<Draft>[] {
  try {
    return parseRuleFile(text, { begin: () => ({ keep: undefined, keepBytes: undefined }), settings })
  } catch (error) {
    if (!(error instanceof UnreadableLine)) throw error
    const { line, message, hint } = error
    throw new MaxbrodError('USAGE', `--keep-rules: ${path}, line ${line}: ${message}`, { hint, path })
  }
}

export const CONFIGS_UNSEEN =
  'nothing says that somebody has seen its configs: if it is compacted, an old record may be the last one of its key'

export const POLICY_UNSEEN =
  'nothing says what its cluster does by default: if it is compacted, an old record may be the last one of its key'

/** True for a rule that holds only until a worker has seen what the topic is. Pure. */
export function isUnseen(rule: TopicRule): boolean {
  return 'keepsAll' in rule && [CONFIGS_UNSEEN, POLICY_UNSEEN].includes(rule.keepsAll)
}

/** What a rule means for a topic whose definition in Kafka was saved as this, if it was. Pure. */
export function limitsOf({ keep, keepBytes }: KeepRule, definition: TopicDefinition | undefined): TopicRule {
  if (keep === 'forever') return { keepsAll: 'it is to be kept for ever' }
  if (keep === undefined && keepBytes === undefined) return { keepsAll: 'no rule is for it' }
  if (definition?.areConfigsUnseen) return { keepsAll: CONFIGS_UNSEEN }
  const policies = definition === undefined ? ['delete'] : cleanupPolicies(definition)
  if (policies === undefined) return { keepsAll: POLICY_UNSEEN }
  if (!policies.includes('delete')) return { keepsAll: 'it is compacted: an old record may be the last one of its key' }
  if (keep !== 'as-source') return { keepMs: keep, keepBytes, source: undefined }
  const sourceMs = limitIn(definition, 'retention.ms')
  const sourceBytes = limitIn(definition, 'retention.bytes')
  if (sourceMs === undefined && sourceBytes === undefined)
    return { keepsAll: 'no retention of its own was saved: what the cluster does by default is not known' }
  const source = { keepMs: finite(sourceMs), keepBytes: finite(sourceBytes) }
  if (source.keepMs === undefined && source.keepBytes === undefined)
    return { keepsAll: 'Kafka keeps it for ever, as its saved retention says' }
  return { keepMs: undefined, keepBytes, source }
}

/** Undefined when nothing was saved. */
function limitIn(definition: TopicDefinition | undefined, config: string): number | undefined {
  const text = definition?.configs[config]
  const value = text === undefined ? Number.NaN : Number(text)
  return Number.isNaN(value) ? undefined : value
}

/** −1 is no limit. */
function finite(limit: number | undefined): number | undefined {
  return limit === undefined || limit < 0 ? undefined : limit
}

/** How long files of a topic are kept; undefined when that is not by time alone. Pure. */
function keepMsOf(rule: TopicRule): number | undefined {
  if ('keepsAll' in rule || rule.keepBytes !== undefined) return undefined
  return rule.source === undefined ? rule.keepMs : rule.source.keepMs
}

/** How long the topic lives longest of which every rule is one of time; undefined when some topic is kept by another rule. Pure. */
export function longestKeep(topics: readonly { readonly rule: TopicRule }[]): number | undefined {
  const keeps = topics.map(({ rule }) => keepMsOf(rule))
  return keeps.reduce(
    (longest, one) => (longest === undefined || one === undefined ? undefined : Math.max(longest, one)),
    0,
  )
}
