import { createHash } from 'node:crypto'

/**
 * What a drill makes in a cluster has names that only a drill in this very cluster would choose:
 *
 *     maxbrod-drill-<8 digits by chance><8 digits that follow from them and from the cluster>[.<topic>]
 *
 * So whoever finds one knows whose it is, without having written it down before: a process may be killed right behind the
 * call that made the first topic. A name that merely looks like it, or was copied from another cluster, does not fit.
 */
export interface Scratch {
  /** `maxbrod-drill-…`: the plan topic, and the group whose members are the drills that are at work. */
  readonly name: string
  /** What stands before the names of the restored topics. */
  readonly prefix: string
  /** The group that restores. */
  readonly group: string
}

const BEGINNING = 'maxbrod-drill-'
const NAME = /^(maxbrod-drill-([0-9a-f]{8})([0-9a-f]{8}))(\..*)?$/s
/** Kafka takes no longer name of a topic. */
const MAX_NAME = 249
const LONG_NAME = /^[\w.-]{200}/

/** `chance`: hexadecimal digits, at least eight. */
export function newScratch(chance: string, clusterId: string): Scratch {
  const digits = chance.slice(0, 8)
  return scratchOf(`${BEGINNING}${digits}${proofOf(digits, clusterId)}`)
}

/** The drill that a topic of this cluster belongs to; undefined for a topic that no drill has made. */
export function drillOf(topic: string, clusterId: string): Scratch | undefined {
  const [, name = '', digits = '', proof] = NAME.exec(topic) ?? []
  return proof !== undefined && proof === proofOf(digits, clusterId) ? scratchOf(name) : undefined
}

/** The names of topics of drills, for who must leave them out of a selection. */
export const drillTopics = /^maxbrod-drill-[0-9a-f]{16}(\..*)?$/s

/** Names that the prefix would make too long get another one. Pure. */
export function renamesFor(topics: readonly string[], { prefix }: Scratch): [source: string, target: string][] {
  return topics
    .filter(topic => prefix.length + topic.length > MAX_NAME)
    .map(topic => [topic, `${prefix}${LONG_NAME.exec(topic)?.[0] ?? ''}-${digest(topic).slice(0, 16)}`])
}

function scratchOf(name: string): Scratch {
  return { name, prefix: `${name}.`, group: `${name}.restore` }
}

function proofOf(digits: string, clusterId: string): string {
  return digest(`maxbrod drill ${digits} in ${clusterId}`).slice(0, 8)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
