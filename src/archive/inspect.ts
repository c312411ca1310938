import { isUtf8 } from 'node:buffer'
import { scanRecords } from '../catalog/scan-records.ts'
import type { TileSource } from '../catalog/tile-blocks.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import { plainRecord } from '../format/transcode/plain-record.ts'
import type { PlainRecord } from '../format/transcode/plain-record.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import type { InspectOptions } from './options.ts'

const AHEAD_BYTES = 64 * 1024 * 1024

export type Lines = (line: object) => void

export interface Inspected {
  /** Printed. */
  readonly records: number
  /** True when the file was read to its end, and held what its header says. */
  readonly isProven: boolean
}

/** Tells the header of a file and then its records, each as an object for one line of JSON. Throws OBJECT_CORRUPT and the like. */
export async function inspectFile(
  source: TileSource,
  pool: BufferPool,
  { limit = Infinity, offset = 0, bytes: form, maxRecordBytes }: InspectOptions,
  tell: Lines,
  signal: AbortSignal,
): Promise<Inspected> {
  let records = 0
  let isProven = true
  const limits = { pool, budget: new ByteBudget(AHEAD_BYTES), maxRecordBytes, signal }
  await scanRecords(
    source,
    limits,
    ({ bytes, spans, reader }) => {
      if (spans.offset < offset) return undefined
      if (records >= limit) {
        isProven = false
        return 'enough'
      }
      records++
      tell(recordLine(plainRecord(bytes, spans, reader), form))
      return undefined
    },
    header => tell({ header: headerLine(header) }),
  )
  return { records, isProven }
}

/** The facts of a header, without what nobody asks for. */
function headerLine(header: FileHeader): object {
  if (header.kind !== 'maxbrod') return { kind: header.kind, codec: header.codec, headerBytes: header.headerBytes }
  const { content, ...tile } = header.tile
  return { kind: header.kind, codec: header.codec, headerBytes: header.headerBytes, ...tile, ...content }
}

function recordLine({ offset, timestamp, key, value, headers }: PlainRecord, form: 'text' | 'base64'): object {
  return {
    offset,
    timestamp,
    key: readable(key, form),
    value: readable(value, form),
    headers: headers.map(([name, content]) => [readable(name, 'text'), readable(content, form)]),
  }
}

function readable(bytes: Buffer | null, form: 'text' | 'base64'): string | { base64: string } | null {
  if (bytes === null) return null
  return form === 'text' && isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }
}
