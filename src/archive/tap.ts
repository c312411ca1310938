import { createHash } from 'node:crypto'
import type { FileStore } from '../catalog/tile-blocks.ts'
import type { Throttle } from '../runtime/throttle.ts'
import type { Facts, GetOptions, ObjectRead, ObjectStore } from '../storage/port.ts'

export interface Tapping {
  readonly store: ObjectStore
  readonly throttle: Throttle
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal
}

/** A store to read one file from, which sees all of its bytes and keeps them below a rate. */
export class Tap implements FileStore {
  readonly #tapping: Tapping
  readonly #hash = createHash('sha256')
  #bytes = 0
  #facts: Facts = {}

  constructor(tapping: Tapping) {
    this.#tapping = tapping
  }

  async get(key: string, options: Pick<GetOptions, 'ifMatch' | 'signal'>): Promise<Pick<ObjectRead, 'body'>> {
    const read = await this.#tapping.store.get(key, options)
    this.#facts = read.facts
    return { body: this.#tapped(read.body) }
  }

  /** What came through, and the facts beside it. To be asked once, at the end. */
  end(): { readonly sha256: string; readonly bytes: number; readonly facts: Facts } {
    return { sha256: this.#hash.digest('hex'), bytes: this.#bytes, facts: this.#facts }
  }

  async *#tapped(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { throttle, onBytes, signal } = this.#tapping
    for await (const chunk of body) {
      await throttle.take(chunk.length, signal)
      this.#hash.update(chunk)
      this.#bytes += chunk.length
      onBytes(chunk.length)
      yield chunk
    }
  }
}
