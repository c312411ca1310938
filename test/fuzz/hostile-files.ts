import { createHash } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import { encodeContainerHeader } from '../../src/format/ocf/container-header.ts'
import { dataKeepSchema } from '../../src/format/record-schema.ts'
import { dataFile, inBlocks, plainRecords } from '../helpers/data-file.ts'
import { zigZag } from '../helpers/plain-batch.ts'
import type { PlainBlock } from '../helpers/plain-container.ts'
import { formatBlock, formatContainer, formatHeader, parseContainer } from '../helpers/plain-container.ts'

const MIB = 1024 * 1024
const sync = Buffer.alloc(16, 7)

/** Files that whoever can write in the bucket would make to bring down who reads them, by what is wrong with them. */
export async function hostileFiles(): Promise<ReadonlyMap<string, Buffer>> {
  const ours = (await dataFile(inBlocks(plainRecords(12), 3))).bytes
  const kept = (codec: string, ...blocks: readonly PlainBlock[]) =>
    formatContainer({ meta: keptMeta(codec), sync, blocks })
  const one = (compressed: Buffer): PlainBlock => ({ records: 1n, compressed })
  const content = Buffer.from('00'.repeat(40), 'hex')
  return new Map(
    Object.entries({
      'zstd: 4 GiB that the frame does not declare': kept('zstandard', one(zstdZeros(4096))),
      'zstd: 128 MiB that the frame does not declare': kept('zstandard', one(zstdZeros(128))),
      'zstd: 128 MiB that the frame declares': kept('zstandard', one(zstdZeros(128, 128 * MIB))),
      'zstd: 4 GiB in a frame that declares a kilobyte': kept('zstandard', one(zstdZeros(4096, 1024))),
      'zstd: a kilobyte in a frame that declares 4 GiB': kept('zstandard', one(zstdZeros(0, 2 ** 32 - 1))),
      'zstd: eight blocks of 60 MiB': kept('zstandard', ...Array.from({ length: 8 }, () => one(zstdZeros(60)))),
      'zstd: 60 MiB in each of two frames of a block': kept(
        'zstandard',
        one(Buffer.concat([zstdZeros(60), zstdZeros(60)])),
      ),
      'zstd: a file of ours with a block of 128 MiB': forged(ours, one(zstdZeros(128))),
      'zstd: a file of ours with a block of 4 GiB': forged(ours, one(zstdZeros(4096, undefined, true))),
      'deflate: 4 GiB': kept('deflate', one(deflateZeros(4096))),
      'deflate: 128 MiB': kept('deflate', one(deflateZeros(128))),
      'a block of -1 bytes': Buffer.concat([keptHeader(), zigZag(1n), zigZag(-1n), sync]),
      'a block of 2^62 bytes': Buffer.concat([keptHeader(), zigZag(1n), zigZag(2n ** 62n), sync]),
      'a block of 2 GiB of which a kilobyte is there': Buffer.concat([
        keptHeader(),
        zigZag(1n),
        zigZag(2n ** 31n),
        Buffer.alloc(1024),
      ]),
      'a block of 128 MiB of which a kilobyte is there': Buffer.concat([
        keptHeader(),
        zigZag(1n),
        zigZag(BigInt(128 * MIB)),
        Buffer.alloc(1024),
      ]),
      'a block of 2^62 records': kept('null', { records: 2n ** 62n, compressed: content }),
      'a block of -5 records': kept('null', { records: -5n, compressed: content }),
      'a block of 2^28 records in 40 bytes': kept('null', { records: 2n ** 28n, compressed: content }),
      'a record with a topic of 2^40 bytes': kept('null', one(Buffer.concat([zigZag(2n ** 40n), content]))),
      'a record with a topic of -1 bytes': kept('null', one(Buffer.concat([zigZag(-1n), content]))),
      'a varint of eleven bytes': kept('null', one(Buffer.alloc(11, 0xff))),
      'a varint that is cut': kept('null', one(Buffer.from([0x80]))),
      'a header of 2^40 entries': Buffer.concat([Buffer.from('Obj\u0001', 'latin1'), zigZag(2n ** 40n), content]),
      'a header with a name of 2^40 bytes': Buffer.concat([
        Buffer.from('Obj\u0001', 'latin1'),
        zigZag(1n),
        zigZag(2n ** 40n),
        content,
      ]),
      'a header that does not end': Buffer.concat([
        Buffer.from('Obj\u0001', 'latin1'),
        zigZag(2n),
        zigZag(11n),
        Buffer.from('avro.schema'),
        zigZag(BigInt(64 * MIB)),
        Buffer.alloc(64 * MIB, 'x'),
      ]),
      'a foreign schema': formatContainer({ meta: [['avro.schema', '"string"']], sync, blocks: [one(content)] }),
      'a schema that names itself 100,000 deep': formatContainer({
        meta: [['avro.schema', '['.repeat(100_000) + ']'.repeat(100_000)]],
        sync,
        blocks: [one(content)],
      }),
      'a codec that nobody knows': kept('bzip2', one(content)),
      nothing: Buffer.alloc(0),
      'no container': Buffer.alloc(4096, 'x'),
    }),
  )
}

function keptMeta(codec: string) {
  return [
    ['avro.schema', dataKeepSchema],
    ['avro.codec', codec],
  ] as const
}

function keptHeader(): Buffer {
  return formatHeader({ meta: keptMeta('null'), sync })
}

/** A zstd frame of so many mebibytes of zeros: blocks that repeat a byte 128 KiB long, four bytes each. RFC 8878. */
function zstdZeros(mebibytes: number, declared?: number, hasChecksum = false): Buffer {
  // A window of 2 MiB; the size in four bytes, or none.
  const descriptor = (declared === undefined ? 0x00 : 0x80) | (hasChecksum ? 0x04 : 0)
  const size = Buffer.alloc(declared === undefined ? 0 : 4)
  if (declared !== undefined) size.writeUInt32LE(declared)
  const blocks = Buffer.alloc(4 * mebibytes * 8)
  const header = (isLast: boolean) => (((128 * 1024) << 3) | 2 | (isLast ? 1 : 0)) >>> 0
  for (let at = 0; at < blocks.length; at += 4) blocks.writeUIntLE(header(at + 4 === blocks.length), at, 3)
  const empty = mebibytes === 0 ? Buffer.from([1, 0, 0]) : Buffer.alloc(0)
  return Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.from([descriptor, 0x58]), size, blocks, empty])
}

function deflateZeros(mebibytes: number): Buffer {
  const piece = deflateRawSync(Buffer.alloc(MIB), { finishFlush: constants.Z_FULL_FLUSH })
  return Buffer.concat([...Array<Buffer>(mebibytes).fill(piece), deflateRawSync(Buffer.alloc(0))])
}

/** The file with one block in place of its own, and all sums right: its author knows the format. */
function forged(file: Buffer, block: PlainBlock): Buffer {
  const container = parseContainer(file)
  const framed = formatBlock(block, container.sync)
  const meta = new Map(container.meta)
  meta.set('maxbrod.blocks', '1')
  meta.set('maxbrod.blocks.bytes', String(framed.length))
  meta.set('maxbrod.blocks.sha256', createHash('sha256').update(framed).digest('hex'))
  meta.set('maxbrod.records', String(block.records))
  meta.delete('maxbrod.header.sha256')
  return Buffer.concat([encodeContainerHeader(meta, container.sync), framed])
}
