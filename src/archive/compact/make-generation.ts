import { createHash } from 'node:crypto'
import { writeSeal } from '../../catalog/generations.ts'
import type { ScannedRecord } from '../../catalog/scan-records.ts'
import { sourcesHash } from '../../format/generation.ts'
import type { GenerationFile, GenerationSeal } from '../../format/generation.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { FileReading, Visit } from '../check-file.ts'
import { beginSeal } from './begin-seal.ts'
import { GenerationWriter } from './generation-writer.ts'
import type { WritingDeps, WritingJob } from './generation-writer.ts'
import { proveGeneration } from './prove-generation.ts'
import { readSource } from './source.ts'
import type { Source } from './source.ts'

export interface MakingDeps extends WritingDeps {
  /** Of sources. */
  readonly reading: FileReading
  /** Program and version. */
  readonly writer: string
}

export interface MakingJob extends Pick<WritingJob, 'fileBytes' | 'folder'> {
  readonly place: PartitionPlace & { readonly generation: string }
  readonly sources: readonly Source[]
  /** What those were made of that are files of generations. */
  readonly earlier?: readonly GenerationFile[]
}

/** Which records of the sources a generation has. */
export interface Selection {
  /** Sees each record of the sources in the first of two readings. */
  readonly learn: Visit
  /** To be called between the readings. */
  learned(): Promise<void>
  /** For the second reading. */
  keep(): Promise<Keeping>
  /** For what was written and is read back. */
  prove(): Promise<Proving>
  /** What the seal says of it, when all is written. */
  readonly dropped: GenerationSeal['droppedTombstones']
}

export interface Keeping {
  /** Asked for each record, in order; `ready` must be kept before the next one. */
  takes(record: ScannedRecord): boolean
  readonly ready: void | Promise<void>
  /** Throws when something is missing. */
  end(): Promise<void>
}

export interface Proving {
  /** Throws a DecodeError for a record that does not belong there. */
  readonly visit: Visit
  /** Throws when something is missing. */
  end(): Promise<void>
}

/**
 * Makes a partition's generation, safely at every step: its sources are read twice, files are written beside them and read back,
 * and only then does the seal say that it is there. Whatever ends it before leaves files that count for nothing.
 */
export async function makeGeneration(deps: MakingDeps, job: MakingJob, selection: Selection): Promise<GenerationSeal> {
  const { sources, place } = job
  const beginning = beginSeal(place, sources)
  const { clusterId, topicId, origin, covers } = beginning
  let timestampMax: number | bigint | undefined
  const read = await readAll(sources, deps.reading, record => {
    const { timestamp } = record.spans
    if (timestampMax === undefined || timestamp > timestampMax) timestampMax = timestamp
    return selection.learn(record)
  })
  await selection.learned()
  const generation = {
    name: place.generation,
    ...covers,
    sources: read.length,
    sourcesSha256: sourcesHash(read),
  }
  const { files, records, sha256 } = await write(deps, job, selection, read, {
    ...job,
    generation,
    identity: { clusterId, topicId, origin, writer: deps.writer },
    gaps: sources.flatMap(({ header, from, to }) =>
      header.gaps
        .filter(gap => gap.from < to && gap.to > from)
        .map(gap => ({ ...gap, from: Math.max(gap.from, from), to: Math.min(gap.to, to) })),
    ),
  })
  const proof = await selection.prove()
  await proveGeneration(files, { records, sha256, visit: proof.visit }, { ...deps.reading, onBytes: () => undefined })
  await proof.end()
  const seal: GenerationSeal = {
    ...beginning,
    files,
    sources: read,
    ...(job.earlier !== undefined && job.earlier.length > 0 && { earlier: job.earlier }),
    timestampMax: timestampMax === undefined ? undefined : BigInt(timestampMax),
    droppedTombstones: selection.dropped,
  }
  await writeSeal(deps.store, place, seal, deps.signal)
  return seal
}

async function readAll(sources: readonly Source[], reading: FileReading, visit: Visit): Promise<GenerationFile[]> {
  const read: GenerationFile[] = []
  for (const source of sources) read.push(await readSource(source, reading, visit))
  return read
}

async function write(
  deps: MakingDeps,
  { sources }: MakingJob,
  selection: Selection,
  before: readonly GenerationFile[],
  job: WritingJob,
): Promise<{ files: readonly GenerationFile[]; records: number; sha256: string }> {
  const writer = new GenerationWriter(deps, job)
  const hash = createHash('sha256')
  let records = 0
  try {
    const keeping = await selection.keep()
    for (const [n, source] of sources.entries()) {
      writer.begin(source)
      const { key, sha256 } = await readSource(source, deps.reading, record => {
        if (!keeping.takes(record)) return keeping.ready
        hash.update(record.bytes.subarray(record.start, record.end))
        records++
        const added = writer.add(record)
        return added === undefined ? keeping.ready : added.then(() => keeping.ready)
      })
      if (sha256 !== before[n]?.sha256)
        throw new MaxbrodError('OBJECT_CHANGED', `${key} has other bytes than a moment ago`, { key })
    }
    await keeping.end()
    return { files: await writer.finish(), records, sha256: hash.digest('hex') }
  } finally {
    await writer.discard()
  }
}
