import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { decompressPayload } from '../../src/format/batch/compression.ts'
import { batchesIn } from '../../src/format/batch/record-batch.ts'
import type { RecordBatch } from '../../src/format/batch/record-batch.ts'
import { recordsIn } from '../../src/format/batch/records.ts'
import { parseTileKey, tileKey } from '../../src/format/keys.ts'
import { encodeContainerHeader, parseContainerHeader } from '../../src/format/ocf/container-header.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { topicDefinitions } from '../../src/format/snapshot/topic-definitions.ts'
import { contradictionIn } from '../../src/format/header-contradiction.ts'
import { tileHeaderFromMeta, tileHeaderToMeta } from '../../src/format/tile-header-meta.ts'
import { AvroBlock } from '../../src/format/transcode/avro-block.ts'
import { dataKeepReader, recordReader } from '../../src/format/transcode/avro-records.ts'
import { moveRecords, startMoving } from '../../src/format/transcode/to-avro.ts'
import { avroType, decodeAvroRecords } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import type { DataFile } from '../helpers/data-file.ts'
import { decodeDataKeep } from '../helpers/data-keep.ts'
import { decodeBatches, withChecksum } from '../helpers/plain-batch.ts'
import type { PlainBlock, PlainContainer } from '../helpers/plain-container.ts'
import { contentOfBlock, formatContainer, parseContainer } from '../helpers/plain-container.ts'
import { readTile } from '../helpers/read-tile.ts'
import type { DigestRecord } from '../helpers/records.ts'
import type { Dice } from '../helpers/seed.ts'
import { ageFileReads } from './age-cases.ts'
import { compressed, dataKeepPlace } from './corpus.ts'
import type { Corpus } from './corpus.ts'
import { edgeInteger, edited, editedOften, spliced } from './edits.ts'
import { assertTyped, orRefused, restoredFrom } from './reading.ts'

/** One kind of hostile input. Answers whether it was accepted; throws when what happened must not happen. */
type Case = (dice: Dice, corpus: Corpus) => Promise<boolean>

const type = avroType(recordSchema)

/** The name says what is changed; how often a kind is drawn follows from how often it stands here. */
export const cases: Readonly<Record<string, Case>> = {
  async 'bytes of a file'(dice, { files }) {
    const file = dice.pick(files)
    return readsAsBefore(file, editedOften(dice, file.bytes))
  },

  async 'blocks of a file'(dice, { files }) {
    const file = dice.pick(files)
    const container = parseContainer(file.bytes)
    const other = parseContainer(dice.pick(files).bytes)
    const blocks = dice.pick([
      () => spliced(dice, container.blocks),
      () => [...container.blocks, ...other.blocks],
      () =>
        container.blocks.toSpliced(dice.between(0, container.blocks.length), 0, {
          records: 0n,
          compressed: Buffer.alloc(0),
        }),
      () => container.blocks.map(block => (dice.number() < 0.5 ? block : { ...block, records: edgeInteger(dice) })),
    ])()
    return readsAsBefore(file, formatContainer({ ...container, blocks }))
  },

  /** The author of such a file knows its format and makes all sums right. */
  async 'a forged file'(dice, { files }) {
    const file = dice.pick(files)
    const container = parseContainer(file.bytes)
    const bytes = forged(
      dice,
      container,
      container.blocks.map(block => changedBlock(dice, 'zstandard', block)),
    )
    const reading = await readTile(bytes, file.place)
    if (reading.error !== undefined) {
      assertTyped(reading.error)
      return false
    }
    const { meta, blocks } = parseContainer(bytes)
    const content = Buffer.concat(blocks.map(block => contentOfBlock('zstandard', block)))
    assert.deepEqual(Buffer.concat(reading.blocks.map(block => block.bytes)), content)
    const said = new Map(meta)
    const covers = { from: Number(said.get('maxbrod.covers.from')), to: Number(said.get('maxbrod.covers.to')) }
    const restored = await restoredFrom(reading, recordReader, covers)
    if (restored === undefined) return false
    assert.deepEqual(restored, decodeAvroRecords(type, content))
    assertAscending(restored, covers)
    return true
  },

  async 'a file of kafka-data-keep'(dice, { dataKeep }) {
    const { file, codec, from } = dice.pick(dataKeep)
    const blocks = dice.pick([
      () => file.blocks,
      () => spliced(dice, file.blocks),
      () => file.blocks.map(block => changedBlock(dice, codec, block)),
    ])()
    const whole = formatContainer({ ...file, blocks })
    const bytes = dice.number() < 0.4 ? editedOften(dice, whole) : whole
    const reading = await readTile(bytes, { ...placeOf(dataKeepPlace), from })
    if (reading.error !== undefined) {
      assertTyped(reading.error)
      return false
    }
    const container = parseContainer(bytes)
    const foundCodec = new Map(container.meta).get('avro.codec')
    const content = Buffer.concat(container.blocks.map(block => contentOfBlock(foundCodec, block)))
    assert.deepEqual(Buffer.concat(reading.blocks.map(block => block.bytes)), content)
    const covers = { from, to: 2 ** 53 - 1 }
    const restored = await restoredFrom(reading, dataKeepReader(dataKeepPlace.topic, dataKeepPlace.partition), covers)
    if (restored === undefined) return false
    const plain = decodeDataKeep(content)
    assert.deepEqual(
      restored,
      plain.map(({ topic: _topic, partition: _partition, ...record }) => record),
    )
    assert.ok(
      plain.every(({ topic, partition }) => topic === dataKeepPlace.topic && partition === dataKeepPlace.partition),
    )
    assertAscending(restored, covers)
    return true
  },

  'an encrypted file': dice => ageFileReads(dice),

  async 'a batch'(dice, { batches }) {
    let bytes = editedOften(dice, dice.pick(batches))
    const isMeant = dice.number() < 0.7 && bytes.length > 61
    if (isMeant) {
      bytes = Buffer.from(bytes)
      bytes.writeInt32BE(bytes.length - 12, 8)
      withChecksum(bytes)
    }
    const found = await orRefused(async () => {
      const all: { batch: RecordBatch; payload: Buffer }[] = []
      for (const batch of batchesIn(bytes)) {
        batch.check()
        all.push({ batch, payload: await decompressPayload(batch.codec, batch.payload) })
      }
      return all
    })
    if (found === undefined) return false
    let isRead = true
    for (const { batch, payload } of found) isRead = (await batchReads(batch, payload)) && isRead
    return isRead
  },

  async 'a container header'(dice, { files }) {
    const whole = dice.pick(files).bytes.subarray(0, 3_000)
    const bytes = editedOften(dice, whole)
    const header = await orRefused(() => parseContainerHeader(bytes))
    const partly = await orRefused(() => parseContainerHeader(bytes.subarray(0, dice.between(0, bytes.length))))
    // What comes in pieces must not be taken for something else than what comes at once.
    if (partly !== undefined) assert.deepEqual(partly, header)
    return header !== undefined
  },

  async 'entries of a header'(dice, { files }) {
    const meta = new Map(tileHeaderToMeta(dice.pick(files).header))
    for (let left = dice.between(1, 3); left > 0; left--) {
      const name = dice.pick([...meta.keys()])
      if (dice.number() < 0.2) meta.delete(name)
      else meta.set(name, changedText(dice, meta.get(name) ?? ''))
    }
    const header = await orRefused(() => tileHeaderFromMeta(meta))
    if (header === undefined) return false
    assert.equal(contradictionIn(header), undefined)
    assert.deepEqual(tileHeaderFromMeta(tileHeaderToMeta(header)), header)
    return true
  },

  async 'a snapshot'(dice) {
    const topics = Array.from({ length: dice.between(0, 3) }, (_, n) => ({
      topic: `topic ${n}`,
      topic_id: dice.pick([null, 'Hx3y8Ra6RBe9-hFQXtB2Kg']),
      partitions: dice.between(1, 100),
      replication_factor: 3,
      configs: { 'cleanup.policy': 'compact' },
      acls: [],
    }))
    const file = await topicDefinitions.encode(topics)
    const container = parseContainer(file)
    const isForged = dice.number() < 0.7
    const bytes = isForged
      ? forged(
          dice,
          container,
          container.blocks.map(block => changedBlock(dice, 'zstandard', block)),
        )
      : editedOften(dice, file)
    const read = await orRefused(() => topicDefinitions.decode(bytes))
    if (read === undefined) return false
    if (!isForged) assert.deepEqual(JSON.parse(JSON.stringify(read)), topics)
    return true
  },

  async 'a key'(dice, { files }) {
    const key = editedOften(dice, Buffer.from(dice.pick(files).key)).toString(dice.pick(['utf8', 'latin1']))
    const place = parseTileKey(key)
    if (place === undefined) return false
    assert.equal(tileKey(place, place.from, place.isEncrypted), key)
    return true
  },
}

/** Nobody made the sums right: the file is refused, or it is what it was. */
async function readsAsBefore(file: DataFile, bytes: Buffer): Promise<boolean> {
  const { error, blocks } = await readTile(bytes, file.place)
  const before = Buffer.concat(file.contents)
  if (error === undefined) {
    assert.deepEqual(Buffer.concat(blocks.map(block => block.bytes)), before)
    return true
  }
  assertTyped(error)
  return false
}

function changedBlock(dice: Dice, codec: string, block: PlainBlock): PlainBlock {
  if (dice.number() < 0.4) return block
  const { records } = block
  const content = contentOfBlock(codec, block)
  // Larger ones are read by a process of their own (hostile-files.ts): here whoever compares has each eight times more.
  if (dice.number() < 0.01) return { records, compressed: compressed(codec, Buffer.alloc(2 ** dice.between(20, 22))) }
  const changed = dice.pick([
    () => ({ records, content: edited(dice, content) }),
    () => ({ records, content: editedOften(dice, content) }),
    () => ({ records: records + dice.pick([-1n, 1n, 2n, edgeInteger(dice)]), content }),
  ])()
  const recompressed = codec === 'zstandard' ? withFrameChecksum(changed.content) : compressed(codec, changed.content)
  return { records: changed.records, compressed: dice.number() < 0.1 ? edited(dice, recompressed) : recompressed }
}

function withFrameChecksum(content: Buffer): Buffer {
  return zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
}

/** The container with other blocks, and now and then another entry in its header; counts, sums and seal fit them. */
function forged(dice: Dice, container: PlainContainer, blocks: readonly PlainBlock[]): Buffer {
  const headerBytes = formatContainer({ ...container, blocks: [] }).length
  const framed = formatContainer({ ...container, blocks }).subarray(headerBytes)
  const meta = new Map(container.meta)
  const say = (name: string, value: string) => void (meta.has(name) && meta.set(name, value))
  say('maxbrod.blocks', String(blocks.length))
  say('maxbrod.blocks.bytes', String(framed.length))
  say('maxbrod.blocks.sha256', createHash('sha256').update(framed).digest('hex'))
  say('maxbrod.records', String(blocks.reduce((sum, { records }) => sum + records, 0n)))
  if (dice.number() < 0.2) {
    const name = dice.pick([...meta.keys()].filter(one => one.startsWith('maxbrod.')))
    meta.set(name, changedText(dice, meta.get(name) ?? ''))
  }
  meta.delete('maxbrod.header.sha256')
  return Buffer.concat([encodeContainerHeader(meta, container.sync), framed])
}

function changedText(dice: Dice, text: string): string {
  return dice.pick([
    () => edited(dice, Buffer.from(text)).toString(),
    () => String(edgeInteger(dice)),
    () =>
      dice.pick([
        '',
        '[]',
        '{}',
        'null',
        '[{"from":0,"to":1,"reason":"retention"}]',
        '[{"reason":{"toString":1}}]',
        '1e3',
        '0x1',
        ' 1',
      ]),
    () => String(Number(text) + dice.between(-3, 3)),
  ])()
}

/** Both readers of a batch see the same records, and those that its bytes say. */
async function batchReads(batch: RecordBatch, payload: Buffer): Promise<boolean> {
  const single = await orRefused(() =>
    [...recordsIn(batch, payload)].map(({ offset, headers, ...record }) => ({
      ...record,
      offset: BigInt(offset),
      headers: headers.map(({ key, value }) => [key, value] as const),
    })),
  )
  const pool = new CountingPool()
  const block = new AvroBlock(pool, 64)
  const isMoved = await orRefused(() =>
    moveRecords(startMoving(batch, payload), block, { from: 0, to: Infinity }, Infinity),
  )
  const moved = decodeAvroRecords(type, Buffer.from(block.content))
  block.release()
  assert.equal(pool.taken, 0)
  assert.equal(isMoved === undefined, single === undefined, 'one reader refuses what the other takes')
  if (single === undefined) return false
  assert.deepEqual(moved, single)
  const { codec } = batch
  const bytes = batch.bytes.subarray(batch.start, batch.end)
  // Node has no second opinion on the others.
  const plain =
    codec === 'gzip' ? gunzipSync(batch.payload) : codec === 'zstd' ? zstdDecompressSync(batch.payload) : payload
  if (codec !== 'zstd' || plain.length === payload.length)
    assert.deepEqual(decodeBatches(bytes, () => plain)[0]!.records, single)
  return true
}

function assertAscending(records: readonly DigestRecord[], { from, to }: { from: number; to: number }): void {
  let previous = BigInt(from) - 1n
  for (const { offset } of records) {
    assert.ok(offset > previous && offset < BigInt(to), `offset ${offset} behind ${previous}`)
    previous = offset
  }
}

function placeOf({ topic, partition }: typeof dataKeepPlace) {
  return { topic, partition, topicId: undefined, lineage: undefined, isEncrypted: false }
}
