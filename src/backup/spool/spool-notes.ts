import { crc32 } from 'node:zlib'
import type { BatchCodec } from '../../format/batch/record-batch.ts'
import type { Gap } from '../../format/tile-header.ts'
import type { BlockFacts } from '../../format/block-sum.ts'

/** Whose blocks a spool file holds, and where they begin: its first note. */
export interface SpoolHead {
  readonly uploadId: string
  readonly clusterId: string
  readonly archiveId: string
  readonly group: string
  readonly topic: string
  readonly topicId?: string | undefined
  readonly partition: number
  readonly lineage?: number | undefined
  readonly from: number
  /** Where the tile before it begins; undefined for the first one of a chain. */
  readonly lastFrom?: number | undefined
  readonly origin: number
  /** Wall clock, for the age of a file only. */
  readonly openedAtMs: number
}

/** A block that was appended. */
export interface BlockNote extends BlockFacts {
  readonly kind: 'block'
  /** The offset behind what is covered with it. */
  readonly to: number
  readonly leaderEpoch: number
  /** Epoch of the leader that it was read from: in the same epoch nobody has cut the log. */
  readonly readAt: number
  readonly codec?: BatchCodec | undefined
  /** As it stands in the file, with its frame. */
  readonly bytes: number
  readonly crc: number
}

/** Nothing follows: it may have been put into the store already. */
export interface ClosedNote {
  readonly kind: 'closed'
  readonly to: number
  readonly reason: string
  /** Of what lies before its end; missing in notes of older versions. */
  readonly leaderEpoch?: number
  /** Epoch of the leader that was asked last; missing there, too. */
  readonly readAt?: number
}

export type SpoolNote = BlockNote | { readonly kind: 'gap'; readonly gap: Gap } | ClosedNote

export interface SpoolNotes {
  readonly head: SpoolHead
  /** Each with the length of all notes up to its own end. */
  readonly notes: readonly { readonly note: SpoolNote; readonly end: number }[]
  readonly headBytes: number
}

export const SPOOL_FORMAT = 1
const CRC_DIGITS = 8

export function encodeHead(head: SpoolHead): Buffer {
  return encodeLine({ format: SPOOL_FORMAT, ...head })
}

export function encodeNote(note: SpoolNote): Buffer {
  return encodeLine(note)
}

/**
 * The notes in a file up to the first that is torn or damaged: each line begins with its own checksum. Undefined when not
 * even the first one can be read, or another version wrote it.
 */
export function decodeNotes(bytes: Buffer): SpoolNotes | undefined {
  const lines = decodeLines(bytes)
  const first = lines.next()
  if (first.done === true) return undefined
  const { format, ...head } = first.value.content as SpoolHead & { format?: unknown }
  if (format !== SPOOL_FORMAT) return undefined
  const notes = [...lines].map(({ content, end }) => ({ note: noteOf(content), end }))
  return { head, notes, headBytes: first.value.end }
}

function encodeLine(content: object): Buffer {
  const text = JSON.stringify(content, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  return Buffer.from(`${crc32(text).toString(16).padStart(CRC_DIGITS, '0')} ${text}\n`)
}

/** The lines up to the first that is torn or damaged, whatever they say. */
export function* decodeLines(bytes: Buffer): Generator<{ content: object; end: number }> {
  for (let start = 0; ;) {
    const end = bytes.indexOf(0x0a, start) + 1
    if (end === 0) return
    const crc = bytes.toString('latin1', start, start + CRC_DIGITS)
    const text = bytes.subarray(start + CRC_DIGITS + 1, end - 1)
    if (crc !== crc32(text).toString(16).padStart(CRC_DIGITS, '0') || bytes[start + CRC_DIGITS] !== 0x20) return
    // What has its checksum is what we wrote.
    yield { content: JSON.parse(text.toString()) as object, end }
    start = end
  }
}

type WrittenBlockNote = Omit<BlockNote, 'timestampMin' | 'timestampMax'> &
  Record<'timestampMin' | 'timestampMax', string>

/** JSON knows no 64 bits. */
function noteOf(content: object): SpoolNote {
  const note = content as Exclude<SpoolNote, BlockNote> | WrittenBlockNote
  if (note.kind !== 'block') return note
  return { ...note, timestampMin: BigInt(note.timestampMin), timestampMax: BigInt(note.timestampMax) }
}
