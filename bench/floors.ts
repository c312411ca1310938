import { constants, zstdCompressSync } from 'node:zlib'
import { spawnSync } from 'node:child_process'
import { javaArguments, javaProgram } from '../test/servers/jars.ts'
import { PayloadWriter } from './payload.ts'
import type { DataSet } from './load.ts'

const SAMPLE_BYTES = 256 * 1024 * 1024
const BLOCK_BYTES = 1024 * 1024

/** CPU seconds that `zstd -1` alone takes for the data set's payload, on one core in blocks of 1 MiB; from a sample. */
export function zstdFloor({ valueBytes, records }: DataSet): { cpuSeconds: number; ratio: number } {
  const writer = new PayloadWriter(1, valueBytes)
  const parts: Buffer[] = []
  const count = Math.min(records, Math.floor(SAMPLE_BYTES / valueBytes))
  for (let n = 0; n < count; n++) parts.push(writer.next())
  const sample = Buffer.concat(parts)
  const before = process.cpuUsage()
  let out = 0
  for (let at = 0; at < sample.length; at += BLOCK_BYTES) {
    const block = sample.subarray(at, at + BLOCK_BYTES)
    out += zstdCompressSync(block, {
      chunkSize: BLOCK_BYTES,
      pledgedSrcSize: block.length,
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
    }).length
  }
  const { user, system } = process.cpuUsage(before)
  return { cpuSeconds: ((user + system) / 1e6) * ((records * valueBytes) / sample.length), ratio: out / sample.length }
}

/** Records per second of Kafka's own ConsumerPerformance on the topic, without its start. */
export function consumerFloor(bootstrap: string, { topic, records }: DataSet): number {
  const args = [
    '--bootstrap-server',
    bootstrap,
    '--topic',
    topic,
    '--messages',
    String(records),
    '--timeout',
    '60000',
    '--group',
    `floor-${topic}-${process.pid}`,
  ]
  const java = javaArguments({
    classPath: 'kafka',
    main: 'org.apache.kafka.tools.ConsumerPerformance',
    heapMiB: 512,
    args,
    isTethered: false,
  })
  const { stdout, status, stderr } = spawnSync(javaProgram(), java, { encoding: 'utf8' })
  // Log lines stand between the headings and the row.
  const lines = stdout.split('\n')
  const heading = lines.find(line => line.startsWith('start.time')) ?? ''
  const row = lines.findLast(line => /^\d{4}-.*(?:, [^,]+){9}$/.test(line)) ?? ''
  const column = heading.split(',').findIndex(name => name.trim() === 'fetch.nMsg.sec')
  const value = Number(row.split(',')[column])
  if (status !== 0 || !Number.isFinite(value)) throw new Error(`ConsumerPerformance failed:\n${stdout}\n${stderr}`)
  return value
}
