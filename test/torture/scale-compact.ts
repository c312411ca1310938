import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { listGenerations, readSeal } from '../../src/catalog/generations.ts'
import { scanRecords } from '../../src/catalog/scan-records.ts'
import { writeInteger } from '../../src/format/batch/varint.ts'
import { parseTileKey, tileKey } from '../../src/format/keys.ts'
import { compressBlock } from '../../src/format/ocf/block-codec.ts'
import { frameBlock } from '../../src/format/ocf/block-frame.ts'
import { encodeContainerHeader } from '../../src/format/ocf/container-header.ts'
import { tileHeaderToMeta } from '../../src/format/tile-header-meta.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { Cli } from '../helpers/cli.ts'
import { fileSync, headerOf } from '../helpers/data-file.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { processFigures } from '../helpers/process-figures.ts'
import { writeResults } from './write-results.ts'

/**
 * `make scale-compact`: many updates of fewer keys in one partition are compacted in bounded memory, and every survivor is
 * compared with what the updates say. Fails when the process takes more memory than it was given. Writes
 * test/torture/results/scale-compact.json.
 */
const { values } = parseArgs({
  options: {
    updates: { type: 'string', default: '50000000' },
    keys: { type: 'string', default: '1000000' },
    memory: { type: 'string', default: '256' },
    'file-records': { type: 'string', default: '500000' },
  },
})
const [updates, keys, memoryMiB] = [Number(values.updates), Number(values.keys), Number(values.memory)]
const VALUE_BYTES = 64
const BLOCK_RECORDS = 10_000
const TIME = 1_700_000_000_000

const folder = await mkdtemp(join(tmpdir(), 'maxbrod-scale-compact-'))
await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
const figures: Record<string, number> = {}
const note = (name: string, value: number) => console.log(`${name.padEnd(24)} ${(figures[name] = value)}`)
const store = openDirectoryStore(join(folder, 'backup'))
const place = { topic: 'scale', topicId: undefined, partition: 0, lineage: undefined }
/** Latest offset of each key. */
const latest = new Float64Array(keys).fill(-1)

await writeBackup()
note('updates', updates)
note('keys', keys)
const startedMs = performance.now()
const argv = [
  'compact',
  '--topics=scale',
  `--storage=file://${folder}/backup`,
  `--working-dir=${folder}/work`,
  `--memory=${memoryMiB}MiB`,
]
const cli = new Cli([...argv, '--output=json'])
let [peakMiB, cpuSeconds] = [0, 0]
const looking = setInterval(() => {
  try {
    const { pid } = cli.process
    peakMiB = Math.max(peakMiB, peakOf(pid!))
    cpuSeconds = Math.round(processFigures(pid!).cpuSeconds)
  } catch {
    // it is gone
  }
}, 100)
const { exit, stderr } = await cli.result
clearInterval(looking)
if (exit !== 0) throw new Error(`compact ended with ${exit}:\n${stderr.slice(-2_000)}`)
note('seconds', Math.round((performance.now() - startedMs) / 100) / 10)
note('cpuSeconds', cpuSeconds)
note('peakMiB', peakMiB)
note('survivors', await survivors())
const isWithin = peakMiB <= memoryMiB
writeResults('scale-compact.json', { limits: { peakMiB: memoryMiB }, loadAverage: loadavg()[1], figures })
if (!isWithin) {
  console.log(`FAILED: it took ${peakMiB} MiB, and must not take more than ${memoryMiB}`)
  process.exitCode = 1
}

async function writeBackup(): Promise<void> {
  const perFile = Number(values['file-records'])
  // Two multiplications hash the number of an update to its key: no table of what comes when.
  for (let from = 0; from < updates; from += perFile) {
    const to = Math.min(updates, from + perFile)
    const frames: Buffer[] = []
    let recordBytesMax = 0
    for (let at = from; at < to; at += BLOCK_RECORDS) {
      const end = Math.min(to, at + BLOCK_RECORDS)
      const content = Buffer.alloc((end - at) * (VALUE_BYTES + 64))
      let length = 0
      for (let offset = at; offset < end; offset++) {
        const start = length
        const key = keyOf(offset)
        latest[key] = offset
        length = writeRecord(content, length, offset, key)
        recordBytesMax = Math.max(recordBytesMax, length - start)
      }
      frames.push(Buffer.concat(frameBlock(end - at, await compressBlock(content.subarray(0, length), 1), fileSync)))
    }
    const blocks = Buffer.concat(frames)
    const template = headerOf([], [])
    const content = {
      ...template.content,
      records: to - from,
      firstOffset: from,
      lastOffset: to - 1,
      timestampMin: BigInt(TIME + from),
      timestampMax: BigInt(TIME + to - 1),
      timestampType: 'create' as const,
      recordBytesMax,
      blocks: frames.length,
      blocksBytes: blocks.length,
      blocksSha256: createHash('sha256').update(blocks).digest('hex'),
    }
    const header = { ...template, topic: 'scale', partition: 0, coversFrom: from, coversTo: to, content }
    const start = encodeContainerHeader(tileHeaderToMeta(header), fileSync)
    await store.put(tileKey(place, from), bodyOf(Buffer.concat([start, blocks])), {})
  }
}

/** Compares all that survived with what the updates say; returns how many there are. */
async function survivors(): Promise<number> {
  const [listed] = await listGenerations(store, { onForeign: key => console.log(`foreign: ${key}`) })
  const seal = listed === undefined ? undefined : await readSeal(store, listed)
  if (seal === undefined) throw new Error('there is no generation')
  const { signal } = new AbortController()
  const limits = { pool: new BufferPool(0), budget: new ByteBudget(2 ** 26), maxRecordBytes: 2 ** 27, signal }
  const expected = latest.filter(offset => offset >= 0).sort()
  let found = 0
  for (const { key } of seal.files) {
    await scanRecords({ store, key, place: parseTileKey(key), etag: undefined }, limits, ({ spans }) => {
      if (spans.offset !== expected[found])
        throw new Error(`offset ${spans.offset}, where ${expected[found]} must stand`)
      found++
    })
  }
  if (found !== expected.length) throw new Error(`${found} survivors of ${expected.length}`)
  return found
}

function keyOf(offset: number): number {
  const mixed = Math.imul(offset ^ (offset >>> 15), 0x2c1b_3c6d)
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a_2d39) >>> 0) % keys
}

function writeRecord(out: Buffer, at: number, offset: number, key: number): number {
  at = writeInteger(out, at, offset)
  at = writeInteger(out, at, TIME + offset)
  const name = `user-${key}`
  out[at++] = 2
  at = writeInteger(out, at, name.length)
  at += out.write(name, at, 'latin1')
  out[at++] = 2
  at = writeInteger(out, at, VALUE_BYTES)
  out.fill(offset & 0xff, at, at + VALUE_BYTES)
  out.writeUInt32LE(Math.imul(offset, 0x9e37_79b1) >>> 0, at)
  at += VALUE_BYTES
  out[at++] = 0
  return at
}

function peakOf(pid: number): number {
  const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kib) / 1024)
}
