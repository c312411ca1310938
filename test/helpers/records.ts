import { createHash, hash } from 'node:crypto'

/** Bytes as tests write them: text stands for its UTF-8 bytes. */
export type Bytes = Uint8Array | string

/** A record to be sent. What is missing is null, empty, partition 0 and the timestamp of the moment. */
export interface RecordToSend {
  readonly partition?: number
  readonly timestamp?: bigint | number
  readonly key?: Bytes | null
  readonly value?: Bytes | null
  readonly headers?: readonly (readonly [name: Bytes, value: Bytes | null])[]
}

/**
 * A record as tests compare it, in canonical form: bytes in hexadecimal, long ones as `sha256:<digest>:<length>`,
 * 64-bit numbers in decimal. The referee (test/java) writes the same form.
 */
export interface CanonicalRecord {
  readonly offset: string
  readonly timestamp: string
  readonly timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
  readonly partition?: number
  /** Of a restored record, whose last header says it; that header is not among `headers`. */
  readonly sourceOffset?: string
}

const longBytes = 1024

/** Bytes in canonical form. */
export function canonicalBytes(bytes: Bytes): string
export function canonicalBytes(bytes: Bytes | null): string | null
export function canonicalBytes(bytes: Bytes | null): string | null {
  if (bytes === null) return null
  const buffer = bufferOf(bytes)
  if (buffer.length <= longBytes) return buffer.toString('hex')
  return `sha256:${createHash('sha256').update(buffer).digest('hex')}:${buffer.length}`
}

/** What a reader must see of a record that was sent, offset and partition apart. */
export function contentOf(
  record: RecordToSend & { readonly timestamp: bigint | number },
): Omit<CanonicalRecord, 'offset' | 'timestampType'> {
  return {
    timestamp: `${record.timestamp}`,
    key: canonicalBytes(record.key ?? null),
    value: canonicalBytes(record.value ?? null),
    headers: (record.headers ?? []).map(([name, value]) => [canonicalBytes(name), canonicalBytes(value)] as const),
  }
}

/** One record of a digest, every part as bytes. */
export interface DigestRecord {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [name: Uint8Array, value: Uint8Array | null])[]
}

/**
 * The rolling digests over records that the referee's `read` answers, for comparing a million records at once. The
 * layout is described in test/java/maxbrod/Canon.java.
 */
export class RecordDigest {
  readonly #digest = createHash('sha256')
  readonly #content = createHash('sha256')

  add({ offset, timestamp, key, value, headers }: DigestRecord): void {
    const parts = [int64(timestamp), ...part(key), ...part(value), int32(headers.length)]
    for (const [name, headerValue] of headers) parts.push(...part(name), ...part(headerValue))
    const record = hash('sha256', Buffer.concat(parts), 'buffer')
    this.#content.update(record)
    this.#digest.update(int64(offset)).update(record)
  }

  /** The digests so far, with and without offsets, as `read` names them. */
  values(): { digest: string; content: string } {
    return { digest: this.#digest.copy().digest('hex'), content: this.#content.copy().digest('hex') }
  }
}

/** The bytes behind what a test wrote. */
export function bufferOf(bytes: Bytes): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function part(bytes: Uint8Array | null): Buffer[] {
  return bytes === null ? [int32(-1)] : [int32(bytes.length), bufferOf(bytes)]
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(value)
  return buffer
}
