import { createHash } from 'node:crypto'
import { DecodeError } from '../format/batch/varint.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import type { Throttle } from '../runtime/throttle.ts'
import type { ObjectStore } from '../storage/port.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
import { nowhere } from './findings.ts'
import type { Finding } from './findings.ts'
import type { Ledger } from './ledger.ts'
import { problemOf } from './survey.ts'
import type { SystemObject } from './system-objects.ts'

export interface SystemReading {
  readonly store: ObjectStore
  readonly throttle: Throttle
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

const MAX_BYTES = 256 * 1024 * 1024
/** Read at the same time: they are small, and many. */
const OBJECTS = 8

/** Reads such objects, and compares their bytes with the checksums in them and beside them. */
export async function checkSystemObjects(
  objects: readonly SystemObject[],
  ledger: Ledger,
  reading: SystemReading,
): Promise<{ readonly sound: number; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = []
  let sound = 0
  const limit = newLimit(OBJECTS)
  const checkOne = async (object: SystemObject) => {
    reading.signal.throwIfAborted()
    const { key, topic, etag, bytes } = object
    try {
      const sha256 = await proveObject(object, reading)
      const before = ledger.files.get(key)
      if (before !== undefined && before.sha256 !== sha256) {
        const says = `had other bytes when it was verified at ${new Date(before.atMs).toISOString()}`
        return void findings.push(findingOf('replaced', key, topic, says))
      }
      sound++
      await ledger.add(key, { etag, bytes, sha256 })
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      findings.push(findingOf('damaged', key, topic, problem))
    }
    return undefined
  }
  await Promise.all(objects.map(object => limit(() => checkOne(object))))
  return { sound, findings }
}

/** The SHA-256 of its bytes, which are right. Throws OBJECT_CORRUPT, OBJECT_CHANGED, OBJECT_MISSING, OBJECT_LIMIT. */
async function proveObject({ key, etag, bytes, decode }: SystemObject, reading: SystemReading): Promise<string> {
  const { store, throttle, signal, onBytes } = reading
  if (bytes > MAX_BYTES)
    throw new MaxbrodError('OBJECT_LIMIT', `it has ${bytes} bytes, where at most ${MAX_BYTES} are expected`, { key })
  const { body, facts } = await store.get(key, { ifMatch: etag, signal })
  const chunks: Buffer[] = []
  for await (const chunk of body) {
    await throttle.take(chunk.length, signal)
    onBytes(chunk.length)
    chunks.push(chunk)
  }
  const content = Buffer.concat(chunks)
  const sha256 = createHash('sha256').update(content).digest('hex')
  try {
    await decode(content)
    if (facts['sha256'] !== undefined && facts['sha256'] !== sha256)
      throw new DecodeError('its bytes have another SHA-256 than the one that was stored beside it')
  } catch (error) {
    throw corrupt(key, error)
  }
  return sha256
}

function findingOf(kind: Finding['kind'], key: string, topic: string | undefined, problem: string): Finding {
  return { kind, ...nowhere, topic, key, says: `${key}: ${problem}` }
}
