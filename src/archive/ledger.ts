import type { Clock } from '../runtime/clock.ts'
import type { AppendFile, Disk } from '../runtime/disk.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Verified } from './choose-files.ts'

/**
 * What was verified and when, on the disk of who verifies: lines of JSON. The first names the storage; then files, and
 * where a run begins and ends. It can be thrown away; then nobody notices that a file of before is missing.
 */
export class Ledger {
  /** By key. */
  readonly files: Map<string, Verified>
  /** Keys of those that were verified before by the run that is not over yet. */
  readonly done: ReadonlySet<string>
  readonly #clock: Clock
  readonly #file: AppendFile | undefined

  private constructor(clock: Clock, { files, done }: Content, file: AppendFile | undefined) {
    this.#clock = clock
    this.files = files
    this.done = done
    this.#file = file
  }

  /** Without a path it remembers nothing. Throws USAGE when the file belongs to another storage, or is something else. */
  static async open(disk: Disk, clock: Clock, path: string | undefined, storage: string): Promise<Ledger> {
    if (path === undefined) return new Ledger(clock, nothing(), undefined)
    const known = parse((await disk.read(path))?.toString() ?? '', path, storage)
    const now = clock.now()
    // Noted under a clock that was ahead, a file would be the last to be read for years.
    for (const [key, file] of known.files) if (file.atMs >= now) known.files.set(key, { ...file, atMs: now - 1 })
    const entries = [...known.files].map(([key, file]) => ({ key, ...file }))
    const isDone = ({ key }: { readonly key: string }) => known.done.has(key)
    const before = entries.filter(one => !isDone(one))
    const lines = [{ verified: storage }, ...before, { begunMs: now }, ...entries.filter(isDone)]
    // Written anew: a line that a dying process left half must not swallow the next one.
    await disk.replace(path, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
    return new Ledger(clock, known, await disk.openAppend(path))
  }

  async add(key: string, file: Omit<Verified, 'atMs'>): Promise<void> {
    const verified = { ...file, atMs: this.#clock.now() }
    this.files.set(key, verified)
    await this.#append({ key, ...verified })
  }

  async forget(key: string): Promise<void> {
    this.files.delete(key)
    await this.#append({ key, forgotten: true })
  }

  /** The run read all that it wanted. */
  async finish(): Promise<void> {
    await this.#append({ finishedMs: this.#clock.now() })
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }

  async #append(line: object): Promise<void> {
    await this.#file?.append([Buffer.from(`${JSON.stringify(line)}\n`)])
  }
}

interface Content {
  readonly files: Map<string, Verified>
  readonly done: Set<string>
}

function nothing(): Content {
  return { files: new Map(), done: new Set() }
}

/** What a run has done is what stands behind its beginning: clocks may be set back between two runs. */
function parse(text: string, path: string, storage: string): Content {
  const { files, done } = nothing()
  let isOver = true
  // What stands behind the last line end is the beginning of a line that was never finished.
  const [first, ...lines] = text.split('\n').slice(0, -1).map(readLine)
  if (text === '') return { files, done }
  if (typeof first?.['verified'] !== 'string')
    throw new MaxbrodError('USAGE', `--state: ${path} is something else`, { hint: 'name a file of its own' })
  if (first['verified'] !== storage)
    throw new MaxbrodError('USAGE', `--state: ${path} is about ${first['verified']}, not ${storage}`, {
      hint: 'every backup needs a file of its own',
    })
  for (const line of lines) {
    const { key, etag, bytes, sha256, atMs, forgotten } = line ?? {}
    if (line?.['begunMs'] !== undefined || line?.['finishedMs'] !== undefined) {
      isOver = line['finishedMs'] !== undefined
      done.clear()
    } else if (typeof key !== 'string') continue
    else if (forgotten === true) files.delete(key)
    else if (
      typeof etag === 'string' &&
      typeof bytes === 'number' &&
      typeof sha256 === 'string' &&
      typeof atMs === 'number'
    ) {
      files.set(key, { etag, bytes, sha256, atMs })
      if (!isOver) done.add(key)
    }
  }
  return { files, done }
}

function readLine(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
