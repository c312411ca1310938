import type { Clock } from '../../runtime/clock.ts'
import type { MetadataAnswer } from '../protocol/metadata.ts'
import type { Address } from './connections.ts'
import type { KnownCluster } from './known-cluster.ts'

/** Between two looks at what another broker says. */
const HEAR_MS = 30_000

export interface HearAnotherDeps {
  readonly clock: Clock
  readonly known: KnownCluster
  readonly metadataOf: (address: Address, topics: readonly string[] | undefined) => Promise<MetadataAnswer>
}

/**
 * Now and then asks one broker after the other who leads what. The one that is asked always may be cut off from the others:
 * then it goes on to call itself the leader, and to answer that there is nothing new.
 */
export class HearAnother {
  readonly #deps: HearAnotherDeps
  /** How often another broker was asked, and when. */
  #heard = 0
  #heardAtMs: number

  constructor(deps: HearAnotherDeps) {
    this.#deps = deps
    this.#heardAtMs = deps.clock.monotonic()
  }

  /** To be called when the topics were asked for, which succeeded. Never throws. */
  async hear(topics: readonly string[] | undefined): Promise<void> {
    const { clock, known, metadataOf } = this.#deps
    const addresses = [...known.addresses]
    const address = addresses[this.#heard % addresses.length]
    if (address === undefined || addresses.length === 1 || topics?.length === 0) return
    if (clock.monotonic() - this.#heardAtMs < HEAR_MS) return
    this.#heardAtMs = clock.monotonic()
    this.#heard++
    try {
      known.learnLeaders(await metadataOf(address, topics))
    } catch {
      // Another one has answered already.
    }
  }
}
