import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import avsc from 'avsc'
import type { Type } from 'avsc'
import type { DigestRecord } from './records.ts'

/** avsc's numbers end at 2^53; this long does not. Records of real topics hold any 64 bits as their timestamp. */
const long = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigInt64LE(value)
    return buffer
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

/** A header's name is a string in the schema; as bytes it is the same on the wire and keeps what is not UTF-8. */
function withNamesAsBytes(schema: string): object {
  return JSON.parse(schema, (_, value: unknown) => {
    const isName = typeof value === 'object' && value !== null && 'name' in value && 'type' in value
    return isName && value.name === 'key' && value.type === 'string' ? { ...value, type: 'bytes' } : value
  }) as object
}

interface AvroRecord {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: Buffer; readonly value: Buffer | null }[]
}

/** The independent reader and writer of data files: avsc, from the schema alone. */
export function avroType(schema: string): Type {
  return avsc.Type.forSchema(withNamesAsBytes(schema) as avsc.Schema, { registry: { long }, wrapUnions: false })
}

/** Whole records that stand one behind the other; throws when the bytes are anything else. */
export function decodeAvroRecords(type: Type, content: Buffer): DigestRecord[] {
  const records: DigestRecord[] = []
  for (let at = 0; at < content.length;) {
    const { value, offset } = type.decode(content, at)
    if (offset < 0) throw new Error(`a record that begins at ${at} and does not end in ${content.length} bytes`)
    records.push(plain(value as AvroRecord))
    at = offset
  }
  return records
}

export function encodeAvroRecord(type: Type, { headers, ...record }: DigestRecord): Buffer {
  return type.toBuffer({ ...record, headers: headers.map(([key, value]) => ({ key, value })) })
}

function plain({ offset, timestamp, key, value, headers }: AvroRecord): DigestRecord {
  return { offset, timestamp, key, value, headers: headers.map(header => [header.key, header.value] as const) }
}

const codecs = {
  zstandard: (bytes: Buffer, done: (error: Error | null, content?: Buffer) => void) =>
    done(null, zstdDecompressSync(bytes)),
}

/** All values of a container file, as avsc's own reader gives them, and the schema and metadata it found. */
export async function readContainer(
  file: Buffer,
  type?: Type,
): Promise<{ values: unknown[]; schema: unknown; meta: Record<string, string> }> {
  return readWithTypeOf(file, schema => type ?? avsc.Type.forSchema(schema))
}

async function readWithTypeOf(file: Buffer, typeOf: (schema: avsc.Schema) => Type) {
  const decoder = new avsc.streams.BlockDecoder({ codecs, parseHook: typeOf })
  const values: unknown[] = []
  let meta: Record<string, string> = {}
  decoder.on('metadata', (_: unknown, __: unknown, header: { meta: Record<string, Buffer> }) => {
    meta = Object.fromEntries(Object.entries(header.meta).map(([name, value]) => [name, String(value)]))
  })
  decoder.end(file)
  for await (const value of decoder) values.push(value)
  return { values, meta, schema: JSON.parse(meta['avro.schema'] ?? 'null') as unknown }
}

/** The records of one of our files by avsc's reader. */
export async function readDataFile(file: Buffer, type: Type): Promise<DigestRecord[]> {
  const { values } = await readContainer(file, type)
  return (values as AvroRecord[]).map(plain)
}

/** The records of a data file by the schema that stands in it, and its metadata. */
export async function readSelfDescribedFile(
  file: Buffer,
): Promise<{ records: DigestRecord[]; meta: Record<string, string> }> {
  const { values, meta } = await readWithTypeOf(file, schema => avroType(JSON.stringify(schema)))
  return { records: (values as AvroRecord[]).map(plain), meta }
}

export type ContainerCodec = 'null' | 'deflate' | 'zstandard'

/** A container file as avsc writes it, in blocks of about `blockBytes`. */
export async function writeContainer(
  type: Type,
  values: readonly unknown[],
  codec: ContainerCodec,
  blockBytes: number,
): Promise<Buffer> {
  const encoder = new avsc.streams.BlockEncoder(type, {
    codec,
    blockSize: blockBytes,
    codecs: {
      ...avsc.streams.BlockEncoder.defaultCodecs(),
      zstandard: (bytes: Buffer, done: (error: Error | null, block?: Buffer) => void) =>
        done(null, zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })),
    },
  })
  const chunks: Buffer[] = []
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve, reject) => encoder.once('end', resolve).once('error', reject))
  for (const value of values) encoder.write(value)
  encoder.end()
  await ended
  return Buffer.concat(chunks)
}
