import type { DecodedBlock } from './decode-ahead.ts'

/** Smaller blocks are joined, so that files of many tiny blocks do not become as many requests. */
const JOIN_BELOW_BYTES = 256 * 1024
const JOINED_BYTES = 1024 * 1024

/** Joins small neighbours: Avro records of neighbouring blocks may simply stand behind each other. */
export async function* joined(blocks: AsyncGenerator<DecodedBlock>): AsyncGenerator<DecodedBlock> {
  let small: Buffer[] = []
  let records = 0
  const take = (): DecodedBlock => {
    const block = {
      bytes: small.length === 1 ? (small[0] ?? Buffer.alloc(0)) : Buffer.concat(small),
      records,
      [Symbol.dispose]: () => undefined,
    }
    small = []
    records = 0
    return block
  }
  let bytes = 0
  for await (const block of blocks) {
    const isSmall = block.bytes.length < JOIN_BELOW_BYTES
    if (small.length > 0 && (!isSmall || bytes + block.bytes.length > JOINED_BYTES)) {
      yield take()
      bytes = 0
    }
    if (isSmall) {
      // At most a mebibyte waits here; holding its room while waiting for more could hold up all readers.
      small.push(Buffer.from(block.bytes))
      records += block.records
      bytes += block.bytes.length
      block[Symbol.dispose]()
    } else yield block
  }
  if (small.length > 0) yield take()
}
