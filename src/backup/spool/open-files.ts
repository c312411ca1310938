import type { AppendFile, Disk } from '../../runtime/disk.ts'

interface Open {
  readonly file: Promise<AppendFile>
  appending: number
}

/**
 * Files that are appended to, of which only so many are open at a time: a worker has two for each partition that it fills a
 * file of, and the system gives a process about a thousand descriptors, which sockets need as well. The one that rested longest
 * is closed first, and opened again when it is appended to.
 */
export class OpenFiles {
  readonly disk: Disk
  readonly #limit: number
  /** The one that was used last comes last. */
  readonly #open = new Map<string, Open>()

  constructor(disk: Disk, limit: number) {
    this.disk = disk
    this.#limit = limit
  }

  get count(): number {
    return this.#open.size
  }

  /** Appends to a file, which is created if needed. One call at a time for each. */
  async append(path: string, pieces: readonly Buffer[]): Promise<void> {
    const open = this.#take(path)
    open.appending++
    try {
      const file = await open.file
      await this.#closeLongestResting()
      await file.append(pieces)
    } finally {
      open.appending--
    }
  }

  /** Closes a file if it is open. */
  async close(path: string): Promise<void> {
    const open = this.#open.get(path)
    this.#open.delete(path)
    await (await open?.file)?.close()
  }

  #take(path: string): Open {
    const known = this.#open.get(path)
    this.#open.delete(path)
    const open = known ?? { file: this.disk.openAppend(path), appending: 0 }
    this.#open.set(path, open)
    open.file.catch(() => this.#open.get(path) === open && this.#open.delete(path))
    return open
  }

  async #closeLongestResting(): Promise<void> {
    for (const [path, { appending }] of this.#open) {
      if (this.#open.size <= this.#limit) return
      // What a close could complain about, the checksums of the file tell as well.
      if (appending === 0) await this.close(path).catch(() => undefined)
    }
  }
}
