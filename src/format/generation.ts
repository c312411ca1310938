import { createHash } from 'node:crypto'
import { DecodeError } from './batch/varint.ts'
import { parseGenerationName, parseTileKey } from './keys.ts'
import type { PartitionPlace } from './keys.ts'
import {
  list,
  object,
  optionalText,
  optionalWhole,
  parseObject,
  partitionNumber,
  range,
  text,
  topicName,
  whole,
} from './plan-fields.ts'
import type { Fields } from './plan-fields.ts'

/**
 * What says that a partition's files of a generation are complete (docs/formats.md, "Generations"). It is written last, when all
 * files were read back; files without it count for nothing.
 */
export interface GenerationSeal {
  /** `compacted/<utc>` */
  readonly generation: string
  readonly clusterId: string
  readonly topic: string
  readonly topicId: string | undefined
  readonly partition: number
  /** Of the last source. */
  readonly lineage: number | undefined
  /** First offset ever covered in the incarnation. */
  readonly origin: number
  /** What the files cover together, without hole: closed-open. */
  readonly covers: { readonly from: number; readonly to: number }
  /** In the order of their offsets. */
  readonly files: readonly GenerationFile[]
  /** What they were made of, in the same order: originals, or files of an older generation. */
  readonly sources: readonly GenerationFile[]
  /** Where sources are files of an older generation: what that one was made of, from its first original on. */
  readonly earlier?: readonly GenerationFile[]
  /** Of all records of the sources, those included that were left out; undefined when there was none. */
  readonly timestampMax: bigint | undefined
  /** Records that say that their key is gone, and that are gone themselves: how many, and before which moment they were written. */
  readonly droppedTombstones: { readonly records: number; readonly beforeMs: number } | undefined
}

/** A data file, and what of it counts. */
export interface GenerationFile {
  readonly key: string
  readonly from: number
  readonly to: number
  readonly records: number
  /** Of the object. */
  readonly bytes: number
  /** Of the Avro file: of what an encrypted one holds. */
  readonly sha256: string
  /** Of an encrypted file as it is stored: what whoever has no key can compare. */
  readonly storedSha256?: string | undefined
}

/** SHA-256 over the lines `key from to sha256` of the sources: what headers say of them. */
export function sourcesHash(sources: readonly Pick<GenerationFile, 'key' | 'from' | 'to' | 'sha256'>[]): string {
  const hash = createHash('sha256')
  for (const { key, from, to, sha256 } of sources) hash.update(`${key} ${from} ${to} ${sha256}\n`)
  return hash.digest('hex')
}

export function encodeSeal(seal: GenerationSeal): Buffer {
  const { timestampMax, ...others } = seal
  const told = { ...others, timestampMax: timestampMax === undefined ? undefined : String(timestampMax) }
  return Buffer.from(`${JSON.stringify(told, undefined, 1)}\n`)
}

/** Throws DecodeError for what no `encodeSeal` has made, and for a seal of another place. */
export function decodeSeal(content: Buffer, place: PartitionPlace): GenerationSeal {
  const fields = parseObject(content)
  const [from, to] = range(object(fields, 'covers'), 'from', 'to')
  const dropped = fields['droppedTombstones'] === undefined ? undefined : object(fields, 'droppedTombstones')
  const seal: GenerationSeal = {
    generation: text(fields, 'generation'),
    clusterId: text(fields, 'clusterId'),
    topic: topicName(fields, 'topic'),
    topicId: optionalText(fields, 'topicId'),
    partition: partitionNumber(fields),
    lineage: optionalWhole(fields, 'lineage'),
    origin: whole(fields, 'origin'),
    covers: { from, to },
    files: list(fields, 'files').map(decodeFile),
    sources: list(fields, 'sources').map(decodeFile),
    ...(fields['earlier'] === undefined ? {} : { earlier: list(fields, 'earlier').map(decodeFile) }),
    timestampMax: timestamp(optionalText(fields, 'timestampMax')),
    droppedTombstones:
      dropped === undefined ? undefined : { records: whole(dropped, 'records'), beforeMs: whole(dropped, 'beforeMs') },
  }
  checkSeal(seal, place)
  return seal
}

function decodeFile(fields: Fields): GenerationFile {
  const [from, to] = range(fields, 'from', 'to')
  const sha256 = digest(text(fields, 'sha256'))
  const stored = optionalText(fields, 'storedSha256')
  return {
    key: text(fields, 'key'),
    from,
    to,
    records: whole(fields, 'records'),
    bytes: whole(fields, 'bytes'),
    sha256,
    ...(stored === undefined ? {} : { storedSha256: digest(stored) }),
  }
}

function digest(value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new DecodeError(`a SHA-256 of ${value}`)
  return value
}

function timestamp(value: string | undefined): bigint | undefined {
  if (value === undefined) return undefined
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(value)) throw new DecodeError(`a timestamp of ${value}`)
  return BigInt(value)
}

function checkSeal(seal: GenerationSeal, place: PartitionPlace): void {
  const { generation, covers, files, sources } = seal
  if (parseGenerationName(generation) === undefined) throw new DecodeError(`a generation of the name ${generation}`)
  const isOfPlace =
    generation === place.generation &&
    seal.topic === place.topic &&
    seal.partition === place.partition &&
    seal.lineage === place.lineage &&
    (place.topicId === undefined || seal.topicId === place.topicId)
  if (!isOfPlace) throw new DecodeError(`it speaks of ${seal.topic}-${seal.partition} of ${generation}`)
  for (const { key, from } of files) {
    const file = parseTileKey(key)
    const isThere = file?.from === from && file.topic === place.topic && file.partition === place.partition
    if (!isThere || file.generation !== generation) throw new DecodeError(`the file ${key}, which is none of its own`)
  }
  requireTiled('files', files, covers)
  requireTiled('sources', sources, covers)
}

function requireTiled(
  what: string,
  files: readonly GenerationFile[],
  { from, to }: { readonly from: number; readonly to: number },
): void {
  let end = from
  for (const file of files) {
    if (file.from !== end || file.to <= file.from)
      throw new DecodeError(`${what} from ${file.from} to ${file.to} behind ${end}`)
    end = file.to
  }
  if (files.length === 0 || end !== to) throw new DecodeError(`${what} that end at ${end}, where ${to} must stand`)
}
