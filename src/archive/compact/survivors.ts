import type { Disk } from '../../runtime/disk.ts'
import { keyEntries, offsetEntries } from './entry-kinds.ts'
import { KeyTable } from './key-table.ts'
import type { TableEntry } from './key-table.ts'
import { Runs } from './runs.ts'

/** Share of the bytes that offsets get, once there are more keys than fit. */
const OFFSETS_SHARE = 8
const OFFSET_BYTES = 8

/**
 * Which records of a partition are the latest of their key, for any number of keys in bounded memory: keys that do not fit are
 * sorted on the disk. Records come in the order of their offsets; afterwards the offsets of the survivors do.
 */
export class Survivors {
  readonly #table: KeyTable
  readonly #keys: Runs<TableEntry>
  readonly #offsets: Runs<number>
  readonly #batch: Float64Array
  #batched = 0
  #count = 0
  /** Survivors in their order, when all of them fit. */
  #few: Float64Array | undefined

  /** `bytes` of memory; `folder` is on the disk, and there. */
  constructor(disk: Disk, folder: string, bytes: number) {
    this.#batch = new Float64Array(Math.max(16, Math.floor(bytes / OFFSETS_SHARE / OFFSET_BYTES)))
    this.#table = new KeyTable(bytes - this.#batch.byteLength)
    this.#keys = new Runs(disk, `${folder}/keys`, keyEntries)
    this.#offsets = new Runs(disk, `${folder}/offsets`, offsetEntries)
  }

  /** How many there are, once `finish` has said so. */
  get count(): number {
    return this.#count
  }

  /** A record with the key `bytes[start, end)`. To be awaited when it answers with a promise. */
  add(bytes: Buffer, start: number, end: number, offset: number): void | Promise<void> {
    if (this.#table.put(bytes, start, end, offset)) return undefined
    const key = Buffer.from(bytes.subarray(start, end))
    return this.#spill().then(() => void this.#table.put(key, 0, key.length, offset))
  }

  /** A record without a key: nothing takes its place. */
  addKeyless(offset: number): void | Promise<void> {
    return this.#emit(offset)
  }

  /** To be called once, behind the last record. */
  async finish(): Promise<void> {
    if (this.#keys.count === 0) {
      for (const offset of this.#table.offsets()) {
        const full = this.#emit(offset)
        if (full !== undefined) await full
      }
    } else {
      await this.#spill()
      for await (const offset of latestOf(this.#keys.merged())) await this.#emit(offset)
      await this.#keys.remove()
    }
    this.#table.clear()
    if (this.#offsets.count === 0) this.#few = this.#batch.slice(0, this.#batched).sort()
    else await this.#flush()
  }

  /** The offsets of the survivors, ascending; as often as they are wanted. */
  offsets(): AsyncGenerator<number> | Generator<number> {
    return this.#few === undefined ? this.#offsets.merged() : each(this.#few)
  }

  /** Makes it as new. */
  async clear(): Promise<void> {
    await this.#keys.remove()
    await this.#offsets.remove()
    this.#table.clear()
    this.#few = undefined
    this.#batched = 0
    this.#count = 0
  }

  async #spill(): Promise<void> {
    await this.#keys.add(this.#table.sorted())
    this.#table.clear()
  }

  #emit(offset: number): void | Promise<void> {
    this.#count++
    this.#batch[this.#batched++] = offset
    return this.#batched === this.#batch.length ? this.#flush() : undefined
  }

  async #flush(): Promise<void> {
    if (this.#batched > 0) await this.#offsets.add(this.#batch.subarray(0, this.#batched).sort())
    this.#batched = 0
  }
}

/** The last offset of each key: of the same key, later files have later offsets. */
async function* latestOf(entries: AsyncIterable<TableEntry>): AsyncGenerator<number> {
  let key: Omit<TableEntry, 'offset'> | undefined
  let offset = 0
  for await (const entry of entries) {
    if (key !== undefined && keyEntries.compare(key as TableEntry, entry) !== 0) yield offset
    if (key === undefined || keyEntries.compare(key as TableEntry, entry) !== 0)
      key = { hash: entry.hash, form: entry.form, bytes: Buffer.from(entry.bytes) }
    offset = entry.offset
  }
  if (key !== undefined) yield offset
}

function* each(offsets: Float64Array): Generator<number> {
  yield* offsets
}
