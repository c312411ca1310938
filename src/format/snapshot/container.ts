import { createHash } from 'node:crypto'
import avsc from 'avsc'
import type { Schema, Type } from 'avsc'
import { assert } from '../../runtime/assert.ts'
import { BufferPool } from '../../runtime/buffer-pool.ts'
import { messageOf } from '../../runtime/errors.ts'
import { DecodeError } from '../batch/varint.ts'
import { BLOCK_CODECS, compressBlock, decompressBlock } from '../ocf/block-codec.ts'
import type { BlockCodec } from '../ocf/block-codec.ts'
import { frameBlock } from '../ocf/block-frame.ts'
import { SYNC_BYTES, encodeContainerHeader } from '../ocf/container-header.ts'
import { ContainerReader } from '../ocf/container-reader.ts'
import { isSameSchema } from '../record-schema.ts'
import { passValue, take } from './pass-value.ts'
import type { Allowance } from './pass-value.ts'

/**
 * Small Avro files of ours: topic definitions, consumer groups, restoration points. The container is our own code, because
 * avsc takes a truncated file for a complete one; avsc encodes the records.
 */
export interface SnapshotKind<R> {
  readonly encode: (records: readonly R[], facts?: Readonly<Record<string, string>>) => Promise<Buffer>
  /** Throws DecodeError unless the file is whole and of this kind. */
  readonly decode: (file: Buffer) => Promise<R[]>
  /** The same, with what is said beside the records. */
  readonly open: (file: Buffer) => Promise<Snapshot<R>>
}

export interface Snapshot<R> {
  readonly records: R[]
  /** As they were given to `encode`. */
  readonly facts: ReadonlyMap<string, string>
}

const FORMAT = '1'
const MAX_BLOCK_BYTES = 256 * 1024 * 1024
/** Records, and items inside of them: a gigabyte of memory, and more partitions of more groups than a cluster can serve. */
const MAX_ITEMS = 2 ** 23
const PREFIX = 'maxbrod.'

/** A kind of snapshot by its record schema. Two kinds are told apart by the schema's text. */
export function snapshotKind<R>(schema: Schema): SnapshotKind<R> {
  const type = avsc.Type.forSchema(schema)
  const schemaText = JSON.stringify(schema)
  const open = async (file: Buffer): Promise<Snapshot<R>> => {
    const reader = await ContainerReader.open(once(file), new BufferPool(0))
    const { meta } = reader.header
    if (meta.get('avro.schema') !== schemaText || meta.get('avro.codec') !== 'zstandard')
      throw new DecodeError('its schema is another one')
    if (meta.get('maxbrod.format') !== FORMAT)
      throw new DecodeError(`format ${meta.get('maxbrod.format')}, which this version does not know`)
    const records = await readRecords<R>(reader, 'zstandard', schema, type)
    const totals = reader.totals()
    if (String(totals.records) !== meta.get('maxbrod.records'))
      throw new DecodeError(`it has ${totals.records} of ${meta.get('maxbrod.records')} records`)
    if (totals.sha256 !== meta.get('maxbrod.blocks.sha256'))
      throw new DecodeError('its bytes have another SHA-256 than its header promises')
    const own = [...meta].filter(([name]) => name.startsWith(PREFIX))
    return { records, facts: new Map(own.map(([name, value]) => [name.slice(PREFIX.length), value])) }
  }
  return {
    async encode(records, facts = {}) {
      const content = Buffer.concat(records.map(record => type.toBuffer(record)))
      assert(content.length <= MAX_BLOCK_BYTES, `a snapshot of ${content.length} bytes`)
      passRecords(schema, content, records.length, { left: MAX_ITEMS })
      // Any 16 bytes do that do not stand in the content by chance.
      const sync = createHash('sha256').update(content).digest().subarray(0, SYNC_BYTES)
      const blocks = records.length === 0 ? [] : frameBlock(records.length, await compressBlock(content, 3), sync)
      const meta = new Map([
        ['avro.schema', schemaText],
        ['avro.codec', 'zstandard'],
        ['maxbrod.format', FORMAT],
        ['maxbrod.records', String(records.length)],
        ['maxbrod.blocks.sha256', createHash('sha256').update(Buffer.concat(blocks)).digest('hex')],
        ...Object.entries(facts).map(([name, value]) => [`${PREFIX}${name}`, value] as const),
      ])
      return Buffer.concat([encodeContainerHeader(meta, sync), ...blocks])
    },
    decode: async file => (await open(file)).records,
    open,
  }
}

/**
 * The records of another program's container, which carries no counts and no checksums. Its schema must mean the same as the
 * given one: a schema of unknown origin is never compiled. Throws DecodeError.
 */
export async function decodeForeign<R>(schema: Schema, file: Buffer): Promise<R[]> {
  const reader = await ContainerReader.open(once(file), new BufferPool(0))
  const { meta } = reader.header
  const codec = BLOCK_CODECS.find(one => one === (meta.get('avro.codec') ?? 'null'))
  if (codec === undefined) throw new DecodeError(`the codec ${meta.get('avro.codec')}`)
  if (!isSameSchema(meta.get('avro.schema') ?? '', JSON.stringify(schema)))
    throw new DecodeError('its schema is another one')
  return readRecords(reader, codec, schema, avsc.Type.forSchema(schema))
}

async function readRecords<R>(reader: ContainerReader, codec: BlockCodec, schema: Schema, type: Type): Promise<R[]> {
  const records: R[] = []
  const items = { left: MAX_ITEMS }
  let bytes = 0
  for (
    let block = await reader.next(MAX_BLOCK_BYTES);
    block !== undefined;
    block = await reader.next(MAX_BLOCK_BYTES)
  ) {
    const content = await decompressBlock(codec, block.compressed, MAX_BLOCK_BYTES)
    bytes += content.length
    if (bytes > MAX_BLOCK_BYTES) throw new DecodeError(`more than ${MAX_BLOCK_BYTES} bytes of records`)
    // First all of it is passed, so that nothing is made of a file that holds too much.
    passRecords(schema, content, block.records, items)
    const cursor = { bytes: content, at: 0 }
    for (let left = block.records; left > 0; left--) {
      const from = cursor.at
      passValue(schema, cursor, { left: MAX_ITEMS })
      records.push(readRecord(type, content.subarray(from, cursor.at)) as R)
    }
  }
  return records
}

/** Throws DecodeError unless the bytes hold so many records, and no more. */
function passRecords(schema: Schema, content: Buffer, records: number, items: Allowance): void {
  take(records, items)
  const cursor = { bytes: content, at: 0 }
  for (let left = records; left > 0; left--) passValue(schema, cursor, items)
  if (cursor.at !== content.length) throw new DecodeError('bytes behind the last record of a block')
}

function readRecord(type: Type, bytes: Buffer): unknown {
  try {
    return type.fromBuffer(bytes)
  } catch (cause) {
    // avsc refuses a long at the very border of the safe integers.
    throw new DecodeError(`a record that cannot be read: ${messageOf(cause)}`, { cause })
  }
}

async function* once(file: Buffer): AsyncGenerator<Buffer> {
  yield file
}
