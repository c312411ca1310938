import { createHash } from 'node:crypto'
import avsc from 'avsc'
import type { Schema } from 'avsc'
import { assert } from '../../runtime/assert.ts'
import { BufferPool } from '../../runtime/buffer-pool.ts'
import { DecodeError } from '../batch/varint.ts'
import { compressBlock, decompressBlock } from '../ocf/block-codec.ts'
import { frameBlock } from '../ocf/block-frame.ts'
import { SYNC_BYTES, encodeContainerHeader } from '../ocf/container-header.ts'
import { ContainerReader } from '../ocf/container-reader.ts'
import { passValue } from './pass-value.ts'

/**
 * Small Avro files of ours: topic definitions, consumer groups, restoration points. The container is our own code, because
 * avsc takes a truncated file for a complete one; avsc encodes the records.
 */
export interface SnapshotKind<R> {
  readonly encode: (records: readonly R[], facts?: Readonly<Record<string, string>>) => Promise<Buffer>
  /** Throws DecodeError unless the file is whole and of this kind. */
  readonly decode: (file: Buffer) => Promise<R[]>
}

const FORMAT = '1'
const MAX_BLOCK_BYTES = 256 * 1024 * 1024

/** A kind of snapshot by its record schema. Two kinds are told apart by the schema's text. */
export function snapshotKind<R>(schema: Schema): SnapshotKind<R> {
  const type = avsc.Type.forSchema(schema)
  const schemaText = JSON.stringify(schema)
  return {
    async encode(records, facts = {}) {
      const content = Buffer.concat(records.map(record => type.toBuffer(record)))
      assert(content.length <= MAX_BLOCK_BYTES, `a snapshot of ${content.length} bytes`)
      // Any 16 bytes do that do not stand in the content by chance.
      const sync = createHash('sha256').update(content).digest().subarray(0, SYNC_BYTES)
      const blocks = records.length === 0 ? [] : frameBlock(records.length, await compressBlock(content, 3), sync)
      const meta = new Map([
        ['avro.schema', schemaText],
        ['avro.codec', 'zstandard'],
        ['maxbrod.format', FORMAT],
        ['maxbrod.records', String(records.length)],
        ['maxbrod.blocks.sha256', createHash('sha256').update(Buffer.concat(blocks)).digest('hex')],
        ...Object.entries(facts).map(([name, value]) => [`maxbrod.${name}`, value] as const),
      ])
      return Buffer.concat([encodeContainerHeader(meta, sync), ...blocks])
    },

    async decode(file) {
      const reader = await ContainerReader.open(once(file), new BufferPool(0))
      const { meta } = reader.header
      if (meta.get('avro.schema') !== schemaText || meta.get('avro.codec') !== 'zstandard')
        throw new DecodeError('its schema is another one')
      if (meta.get('maxbrod.format') !== FORMAT)
        throw new DecodeError(`format ${meta.get('maxbrod.format')}, which this version does not know`)
      const records: R[] = []
      for (
        let block = await reader.next(MAX_BLOCK_BYTES);
        block !== undefined;
        block = await reader.next(MAX_BLOCK_BYTES)
      ) {
        const content = await decompressBlock('zstandard', block.compressed, MAX_BLOCK_BYTES)
        const cursor = { bytes: content, at: 0 }
        for (let left = block.records; left > 0; left--) {
          const from = cursor.at
          passValue(schema, cursor)
          records.push(type.fromBuffer(content.subarray(from, cursor.at)))
        }
        if (cursor.at !== content.length) throw new DecodeError('bytes behind the last record of a block')
      }
      const totals = reader.totals()
      if (String(totals.records) !== meta.get('maxbrod.records'))
        throw new DecodeError(`it has ${totals.records} of ${meta.get('maxbrod.records')} records`)
      if (totals.sha256 !== meta.get('maxbrod.blocks.sha256'))
        throw new DecodeError('its bytes have another SHA-256 than its header promises')
      return records
    },
  }
}

async function* once(file: Buffer): AsyncGenerator<Buffer> {
  yield file
}
