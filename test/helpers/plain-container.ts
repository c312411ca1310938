import { inflateRawSync, zstdDecompressSync } from 'node:zlib'
import { PlainReader, zigZag } from './plain-batch.ts'

/** Avro container files by the letter of the specification, without a line of src/: to take apart and put together again. */
export interface PlainContainer {
  readonly meta: readonly (readonly [name: string, value: string])[]
  readonly sync: Buffer
  readonly blocks: readonly PlainBlock[]
}

export interface PlainBlock {
  readonly records: bigint
  /** As it stands in the file. */
  readonly compressed: Buffer
}

/** Throws when the bytes are anything but a whole container. */
export function parseContainer(bytes: Buffer): PlainContainer {
  const reader = new PlainReader(bytes)
  if (reader.take(4).toString('latin1') !== 'Obj\u0001') throw new Error('no container')
  const meta: [string, string][] = []
  for (let count = reader.varint(); count !== 0n; count = reader.varint()) {
    if (count < 0n) reader.varint()
    for (let left = count < 0n ? -count : count; left > 0n; left--) meta.push([readText(reader), readText(reader)])
  }
  const sync = reader.take(16)
  const blocks: PlainBlock[] = []
  while (!reader.isAtEnd) {
    const records = reader.varint()
    const compressed = reader.take(Number(reader.varint()))
    if (!reader.take(16).equals(sync)) throw new Error('another sync marker')
    blocks.push({ records, compressed })
  }
  return { meta, sync, blocks }
}

export function formatContainer({ meta, sync, blocks }: PlainContainer): Buffer {
  return Buffer.concat([formatHeader({ meta, sync }), ...blocks.map(block => formatBlock(block, sync))])
}

export function formatHeader({ meta, sync }: Pick<PlainContainer, 'meta' | 'sync'>): Buffer {
  const entries = meta.flatMap(([name, value]) => [formatText(name), formatText(value)])
  const count = meta.length === 0 ? [] : [zigZag(BigInt(meta.length))]
  return Buffer.concat([Buffer.from('Obj\u0001', 'latin1'), ...count, ...entries, zigZag(0n), sync])
}

export function formatBlock({ records, compressed }: PlainBlock, sync: Buffer): Buffer {
  return Buffer.concat([zigZag(records), zigZag(BigInt(compressed.length)), compressed, sync])
}

/** What a block holds. */
export function contentOfBlock(codec: string | undefined, { compressed }: PlainBlock): Buffer {
  if (codec === 'zstandard') return zstdDecompressSync(compressed)
  return codec === 'deflate' ? inflateRawSync(compressed) : compressed
}

function readText(reader: PlainReader): string {
  return reader.take(Number(reader.varint())).toString()
}

function formatText(text: string): Buffer {
  return Buffer.concat([zigZag(BigInt(Buffer.byteLength(text))), Buffer.from(text)])
}
