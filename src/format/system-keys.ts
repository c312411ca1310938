import { keyStamp, parseKeyStamp } from './key-stamp.ts'

/** Keys of what lies beside the topics: `@` cannot occur in a topic name. The grammar of the topics' own is in keys.ts. */

/** Holds nothing: writers of `maxbrod check` race to create it. */
export const raceKey = '@check/race.txt'
export const clusterKey = '@cluster/cluster.json'
export const topicsPrefix = '@topics/'
export const groupsPrefix = '@groups/'
export const pointsPrefix = '@points/'
export const conflictsPrefix = '@conflicts/'
export const prunesPrefix = '@prunes/'
export const reportsPrefix = '@report/'

export const firstIncarnationPrefix = '@topics/first/'

export function firstIncarnationKey(topic: string): string {
  return `${firstIncarnationPrefix}${topic}.json`
}

export function topicsKey(atMs: number): string {
  return `${topicsPrefix}${keyStamp(atMs)}.avro`
}

export function groupsKey(atMs: number): string {
  return `${groupsPrefix}${keyStamp(atMs)}.avro`
}

export function pointKey(atMs: number): string {
  return `${pointsPrefix}${keyStamp(atMs)}.avro`
}

export function pruneKey(atMs: number): string {
  return `${prunesPrefix}${keyStamp(atMs)}.json`
}

export function reportKey(atMs: number): string {
  return `${reportsPrefix}${keyStamp(atMs)}.html`
}

/** The moment in the key of a prune's record, or undefined for any other key. */
export function parsePruneKey(key: string): number | undefined {
  return parseMoment(prunesPrefix, key, '.json')
}

/** The moment in the key of a report, or undefined for any other key. */
export function parseReportKey(key: string): number | undefined {
  return parseMoment(reportsPrefix, key, '.html')
}

/** The moment in the key of a snapshot below such a prefix, or undefined for any other key. */
export function parseSnapshotKey(prefix: string, key: string): number | undefined {
  return parseMoment(prefix, key, '.avro')
}

function parseMoment(prefix: string, key: string, ending: string): number | undefined {
  if (!key.startsWith(prefix) || !key.endsWith(ending)) return undefined
  return parseKeyStamp(key.slice(prefix.length, -ending.length))
}

export function conflictKey(sha256: string, isEncrypted = false): string {
  return `${conflictsPrefix}${sha256}.avro${isEncrypted ? '.age' : ''}`
}

/** Keys of maxbrod's own, beside the topics: definitions, snapshots, reports, and files that were made of others. */
export function isSystemKey(key: string): boolean {
  return key.startsWith('@')
}
