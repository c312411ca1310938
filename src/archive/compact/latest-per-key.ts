import type { ScannedRecord } from '../../catalog/scan-records.ts'
import { DecodeError } from '../../format/batch/varint.ts'
import type { GenerationSeal } from '../../format/generation.ts'
import { assert } from '../../runtime/assert.ts'
import type { Keeping, Proving, Selection } from './make-generation.ts'
import { OffsetCursor } from './offset-cursor.ts'
import type { Survivors } from './survivors.ts'

/**
 * The latest record of each key, and all without a key. Records without a value say that their key is gone; those written before
 * `dropBeforeMs` are left out, too, as nobody needs to be told any more.
 */
export class LatestPerKey implements Selection {
  readonly #survivors: Survivors
  readonly #dropBeforeMs: number | undefined
  #dropped = 0

  constructor(survivors: Survivors, dropBeforeMs: number | undefined) {
    this.#survivors = survivors
    this.#dropBeforeMs = dropBeforeMs
  }

  get dropped(): GenerationSeal['droppedTombstones'] {
    return this.#dropBeforeMs === undefined ? undefined : { records: this.#dropped, beforeMs: this.#dropBeforeMs }
  }

  learn = ({ bytes, spans }: ScannedRecord): void | Promise<void> => {
    const { keyStart, keyEnd, offset } = spans
    if (keyStart === keyEnd) return this.#survivors.addKeyless(offset)
    // Without its length: one number can be written in several ways.
    let start = keyStart
    while ((bytes[start] as number) >= 0x80) start++
    return this.#survivors.add(bytes, start + 1, keyEnd, offset)
  }

  learned(): Promise<void> {
    return this.#survivors.finish()
  }

  async keep(): Promise<Keeping> {
    const cursor = await OffsetCursor.open(this.#survivors.offsets())
    let ready: void | Promise<void>
    return {
      takes: record => {
        ready = undefined
        if (record.spans.offset !== cursor.current) return false
        ready = cursor.advance()
        if (!this.#isDropped(record)) return true
        this.#dropped++
        return false
      },
      get ready() {
        return ready
      },
      async end() {
        assert(cursor.current === undefined, `no record at offset ${cursor.current}, where there was one a moment ago`)
        await cursor.close()
      },
    }
  }

  async prove(): Promise<Proving> {
    const cursor = await OffsetCursor.open(this.#survivors.offsets())
    let missing = 0
    /** Stands behind all survivors below an offset. */
    const pass = (offset: number): void | Promise<void> => {
      while (cursor.current !== undefined && cursor.current < offset) {
        missing++
        const moved = cursor.advance()
        if (moved !== undefined) return moved.then(() => pass(offset))
      }
      return undefined
    }
    const meet = (offset: number): void | Promise<void> => {
      if (cursor.current === offset) return cursor.advance()
      throw new DecodeError(`a record at offset ${offset}, which was overwritten later or never there`)
    }
    return {
      visit: ({ spans: { offset } }) => {
        const passed = pass(offset)
        return passed === undefined ? meet(offset) : passed.then(() => meet(offset))
      },
      end: async () => {
        await pass(Infinity)
        await cursor.close()
        if (missing !== this.#dropped)
          throw new DecodeError(
            `${missing} records are missing that are the latest of their keys, of which ${this.#dropped} were left out`,
          )
      },
    }
  }

  #isDropped({ spans }: ScannedRecord): boolean {
    const { keyStart, keyEnd, valueStart, valueEnd, timestamp } = spans
    const before = this.#dropBeforeMs
    return before !== undefined && valueStart === valueEnd && keyStart !== keyEnd && timestamp < before
  }
}

/** All records: files that are merged lose nothing. */
export const allRecords: Selection = {
  learn: () => undefined,
  learned: () => Promise.resolve(),
  keep: () => Promise.resolve({ takes: () => true, ready: undefined, end: () => Promise.resolve() }),
  prove: () => Promise.resolve({ visit: () => undefined, end: () => Promise.resolve() }),
  dropped: undefined,
}
