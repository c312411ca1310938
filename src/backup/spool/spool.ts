import type { PartitionPlace } from '../../format/keys.ts'
import type { Logger } from '../../observe/logger.ts'
import type { ByteBudget } from '../../runtime/byte-budget.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Disk } from '../../runtime/disk.ts'
import { messageOf } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import { OpenFiles } from './open-files.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import { LeftTiles } from './left-tiles.ts'
import { SpoolFile } from './spool-file.ts'
import type { SpoolFileOptions } from './spool-file.ts'
import { continues, isOfAnotherTopic, isOfChain } from './spool-fit.ts'
import type { Continued } from './spool-fit.ts'
import { decodeNotes, encodeHead } from './spool-notes.ts'
import type { SpoolHead } from './spool-notes.ts'
import { strangeTile } from './strange-tile.ts'
import { readSpooledTile } from './spooled-tile.ts'
import type { SpooledTile } from './spooled-tile.ts'

/** Files are named by upload ids; nothing else in the folder is ours to touch. */
const SPOOL_FILE = /^([0-9a-f]{32})\.(blocks|notes)$/
const PROBE = 'room.probe'
/** Heads that are read at the same time. */
const READING = 16

/** The spool in a folder, after a look at what an earlier process has left there. */
export async function openSpool(
  folder: string,
  { disk, clock, log }: Pick<SpoolDeps, 'disk' | 'clock' | 'log'>,
  { groupId: group, maxOpenFiles }: { readonly groupId: string; readonly maxOpenFiles: number },
): Promise<Spool> {
  const spool = new Spool({ disk, folder, clock, log, group, maxOpenFiles })
  await spool.open()
  return spool
}

export interface SpoolDeps {
  readonly disk: Disk
  readonly folder: string
  readonly clock: Clock
  readonly log: Logger
  readonly group: string
  readonly maxOpenFiles: number
}

/**
 * The folder with the blocks that are not in the store yet: tiles that are being filled, and those that an earlier process or
 * an earlier ownership of a partition has left. These are a cache of what Kafka has: they count only where they continue the
 * chain in the store, and are dropped otherwise.
 */
export class Spool {
  readonly files: OpenFiles
  readonly group: string
  readonly #deps: SpoolDeps
  readonly #left = new LeftTiles()

  constructor(deps: SpoolDeps) {
    this.#deps = deps
    this.group = deps.group
    this.files = new OpenFiles(deps.disk, deps.maxOpenFiles)
  }

  /** Looks at what an earlier process has left, and removes what nobody can understand. */
  async open(): Promise<void> {
    const { disk, folder } = this.#deps
    await disk.remove(this.probePath)
    const names = await disk.list(folder)
    const ids = new Set(names.map(name => SPOOL_FILE.exec(name)?.[1]).filter(id => id !== undefined))
    const limit = newLimit(READING)
    await Promise.all([...ids].map(id => limit(() => this.#find(id))))
  }

  get probePath(): string {
    return `${this.#deps.folder}/${PROBE}`
  }

  /** Of all tiles that were left. */
  get heads(): SpoolHead[] {
    return this.#left.all
  }

  /** A file for a new tile. */
  newFile(head: SpoolHead, budget: ByteBudget, onFull: (error: unknown) => void): SpoolFile {
    return this.#file(head, { budget, onFull })
  }

  /** The file of a tile that was left. */
  fileOf({ head, found }: SpooledTile, budget: ByteBudget, onFull: (error: unknown) => void): SpoolFile {
    return this.#file(head, { budget, onFull, found })
  }

  /** Keeps the files of tiles whose partition goes to somebody else, or comes back after a restart. */
  leave(heads: readonly SpoolHead[]): void {
    const sinceMs = this.#deps.clock.monotonic()
    for (const head of heads) this.#left.add(head, sinceMs)
  }

  /**
   * The tiles that continue a chain, one behind the other. Everything else that was left of the partition is dropped, except what
   * was read of another topic of that name: nobody can read that again.
   */
  async take(place: PartitionPlace, identity: PartitionIdentity, chain: Continued): Promise<SpooledTile[]> {
    const left = this.#left.take(place, head => !isOfAnotherTopic(head, identity))
    const tiles = await this.continuing(left, identity, chain)
    const taken = new Set(tiles.map(({ head }) => head.uploadId))
    for (const head of left) if (!taken.has(head.uploadId)) await this.drop(head)
    return tiles
  }

  /** Those among tiles that continue a chain, one behind the other; everything stays where it is. */
  async continuing(heads: readonly SpoolHead[], identity: PartitionIdentity, chain: Continued): Promise<SpooledTile[]> {
    const tiles: SpooledTile[] = []
    const fitting = new Set(heads.filter(head => isOfChain(head, identity, this.group)))
    for (let end = chain.from; ;) {
      const head = [...fitting].find(({ from }) => from === end)
      const tile = head === undefined ? undefined : await this.read(head)
      if (head === undefined || tile === undefined || !continues(tile, chain)) return tiles
      fitting.delete(head)
      tiles.push(tile)
      end = tile.to
    }
  }

  /** Takes the tiles of partitions that have not come back for so long: they are the caller's to `drop`, or to `leave` again. */
  takeOld(maxAgeMs: number): SpoolHead[] {
    return this.#left.takeOlder(this.#deps.clock.monotonic() - maxAgeMs)
  }

  /** Nobody needs it any more; its files are the caller's. */
  forget(head: SpoolHead): void {
    this.#left.take(head, ({ uploadId }) => uploadId === head.uploadId)
  }

  /** Removes a tile's files. What cannot be removed now is looked at again at the next start. */
  async drop({ uploadId, ...head }: SpoolHead): Promise<void> {
    const { log } = this.#deps
    log.debug({ topic: head.topic, partition: head.partition, from: head.from }, 'dropping what the spool holds')
    await this.#removeFiles(uploadId)
  }

  async #removeFiles(uploadId: string): Promise<void> {
    const { disk, log } = this.#deps
    try {
      await disk.remove(`${this.#path(uploadId)}.notes`)
      await disk.remove(`${this.#path(uploadId)}.blocks`)
    } catch (error) {
      log.warn({ err: error }, 'could not remove a spool file')
    }
  }

  async #find(uploadId: string): Promise<void> {
    const { disk, clock } = this.#deps
    const notes = await disk.read(`${this.#path(uploadId)}.notes`)
    const head = notes === undefined ? undefined : decodeNotes(notes)?.head
    if (head?.uploadId === uploadId) return this.#left.add(head, clock.monotonic())
    // Blocks without notes are what a kill between the two leaves: a moment later they would have been read again anyway.
    if (notes !== undefined && notes.length > 0) this.#tellStrange(uploadId, notes)
    await this.#removeFiles(uploadId)
  }

  #tellStrange(uploadId: string, notes: Buffer): void {
    const { why, ...about } = strangeTile(notes)
    const hint = 'where retention or a deletion took them since, only the version that wrote the file can upload them'
    this.#deps.log.warn(
      { reason: why, ...about, path: `${this.#path(uploadId)}.blocks`, hint },
      'removing a spool file that cannot be understood: what Kafka still has of its records is read again',
    )
  }

  /** Undefined when nothing of it is whole. */
  async read(head: SpoolHead): Promise<SpooledTile | undefined> {
    const { disk, log } = this.#deps
    try {
      return await readSpooledTile(disk, this.#path(head.uploadId))
    } catch (error) {
      log.warn({ reason: messageOf(error), topic: head.topic, partition: head.partition }, 'cannot read a spool file')
      return undefined
    }
  }

  #file(head: SpoolHead, options: Omit<SpoolFileOptions, 'files' | 'path' | 'head'>): SpoolFile {
    return new SpoolFile({ files: this.files, path: this.#path(head.uploadId), head: encodeHead(head), ...options })
  }

  #path(uploadId: string): string {
    return `${this.#deps.folder}/${uploadId}`
  }
}
