import type { AppendFile, Disk } from '../../runtime/disk.ts'

/** Sorted files of entries, and how they become one. */
export interface EntryKind<E> {
  /** No entry takes more. */
  readonly maxBytes: number
  write(entry: E, out: Buffer, at: number): number
  /** The entry at `at`, and where it ends; undefined when it ends behind `end`. What it refers to is gone when the next is read. */
  read(bytes: Buffer, at: number, end: number): { readonly entry: E; readonly next: number } | undefined
  compare(a: E, b: E): number
}

const WRITE_BYTES = 256 * 1024
const READ_BYTES = 32 * 1024
/** Files that are read together; with more, some are made one first. */
const FAN_IN = 64

/** Entries that do not fit into memory, sorted part by part on the disk: an external merge sort. */
export class Runs<E> {
  readonly #disk: Disk
  readonly #path: string
  readonly #kind: EntryKind<E>
  #files: string[] = []
  #made = 0

  /** `path` is the beginning of the files' names. */
  constructor(disk: Disk, path: string, kind: EntryKind<E>) {
    this.#disk = disk
    this.#path = path
    this.#kind = kind
  }

  get count(): number {
    return this.#files.length
  }

  /** Adds a file of entries, which come in their order. */
  async add(entries: Iterable<E> | AsyncIterable<E>): Promise<void> {
    if (this.#files.length === FAN_IN) {
      const together = this.#files
      this.#files = [await this.#write(this.#merged(together))]
      await this.#remove(together)
    }
    this.#files.push(await this.#write(entries))
  }

  /** All entries in their order; of those that compare as the same, those of earlier files first. */
  merged(): AsyncGenerator<E> {
    return this.#merged(this.#files)
  }

  async remove(): Promise<void> {
    await this.#remove(this.#files.splice(0))
  }

  async #remove(files: readonly string[]): Promise<void> {
    for (const file of files) await this.#disk.remove(file)
  }

  async #write(entries: Iterable<E> | AsyncIterable<E>): Promise<string> {
    const path = `${this.#path}-${this.#made++}`
    await this.#disk.remove(path)
    const file = await this.#disk.openAppend(path)
    try {
      await writeAll(file, entries, this.#kind)
    } finally {
      await file.close()
    }
    return path
  }

  async *#merged(files: readonly string[]): AsyncGenerator<E> {
    const kind = this.#kind
    const readers = files.map(path => new RunReader(this.#disk.readPieces(path, READ_BYTES), kind))
    try {
      const open: RunReader<E>[] = []
      for (const reader of readers) if (await reader.next()) open.push(reader)
      while (open.length > 0) {
        let least = 0
        for (let n = 1; n < open.length; n++)
          if (kind.compare((open[n] as RunReader<E>).entry as E, (open[least] as RunReader<E>).entry as E) < 0)
            least = n
        const reader = open[least] as RunReader<E>
        yield reader.entry as E
        const isThere = reader.tryNext() ?? (await reader.next())
        if (!isThere) open.splice(least, 1)
      }
    } finally {
      for (const reader of readers) await reader.close()
    }
  }
}

async function writeAll<E>(
  file: AppendFile,
  entries: Iterable<E> | AsyncIterable<E>,
  kind: EntryKind<E>,
): Promise<void> {
  const out = Buffer.allocUnsafe(WRITE_BYTES)
  let at = 0
  for await (const entry of entries) {
    if (at + kind.maxBytes > out.length) {
      await file.append([out.subarray(0, at)])
      at = 0
    }
    at = kind.write(entry, out, at)
  }
  if (at > 0) await file.append([out.subarray(0, at)])
}

class RunReader<E> {
  entry: E | undefined
  readonly #pieces: AsyncIterator<Buffer>
  readonly #kind: EntryKind<E>
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(pieces: AsyncIterable<Buffer>, kind: EntryKind<E>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
    this.#kind = kind
  }

  /** True when the next entry was at hand; undefined when more must be read first. */
  tryNext(): true | undefined {
    const read = this.#kind.read(this.#bytes, this.#at, this.#bytes.length)
    if (read === undefined) return undefined
    this.entry = read.entry
    this.#at = read.next
    return true
  }

  /** False at the end. */
  async next(): Promise<boolean> {
    while (this.tryNext() === undefined) {
      const piece = await this.#pieces.next()
      if (piece.done === true) return false
      this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), piece.value])
      this.#at = 0
    }
    return true
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }
}
