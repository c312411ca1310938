import { createHash } from 'node:crypto'
import { headerPieces } from '../format/transcode/avro-records.ts'
import type { ScannedRecord } from './scan-records.ts'

/**
 * The same for two copies of a record, in whichever order their headers stand: kafka-data-keep writes a map, and each time in
 * another order.
 */
export function fingerprintOf({ spans, bytes, reader }: ScannedRecord): string {
  const hash = createHash('sha256')
  hash.update(`${spans.timestamp}/${spans.keyEnd - spans.keyStart}/${spans.valueEnd - spans.valueStart}/`)
  hash.update(bytes.subarray(spans.keyStart, spans.keyEnd))
  hash.update(bytes.subarray(spans.valueStart, spans.valueEnd))
  const headers = headerPieces(reader, { bytes, at: spans.headersStart })
  for (const header of headers.toSorted((a, b) => a.compare(b))) hash.update(header)
  return hash.digest().toString('latin1', 0, 16)
}
