import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { fingerprintOf } from '../catalog/record-fingerprint.ts'
import { proveTiling } from '../catalog/tiling.ts'
import type { Visit } from './check-file.ts'
import type { SurveyedChain, SurveyedFile } from './survey.ts'

/**
 * A plain and an encrypted file that cover the same offsets. They have two names, so that a worker which already encrypts and one
 * that does not yet do not find each other's; a restore takes each record once, if they are the same.
 */
export interface Twins {
  readonly first: SurveyedFile
  readonly second: SurveyedFile
  readonly from: number
  readonly to: number
}

/** Those of a chain whose files are in the order of their first offsets. Pure. */
export function twinsOf({ files }: SurveyedChain): Twins[] {
  const own = files.flatMap(file => {
    if (file.header?.kind !== 'maxbrod' || file.problem !== undefined) return []
    const { coversFrom: from, coversTo: to } = file.header.tile
    return [{ key: file.key, from, to, file }]
  })
  const byKey = new Map(own.map(({ key, file }) => [key, file]))
  return proveTiling(own).overlaps.flatMap(({ first: one, second: other, from, to }) => {
    const [first, second] = [byKey.get(one), byKey.get(other)]
    const isTwin = first !== undefined && second !== undefined && first.place.isEncrypted !== second.place.isEncrypted
    return isTwin ? [{ first, second, from, to }] : []
  })
}

/** Compares the records of twins while their files are read for other reasons. */
export class TwinRecords {
  readonly all: readonly Twins[]
  readonly #sums = new Map<Twins, Map<SurveyedFile, string>>()

  constructor(all: readonly Twins[]) {
    this.all = all
  }

  /** To be shown all records of a file; undefined when it is nobody's twin. `read` is called once it was whole. */
  follow(file: SurveyedFile): { readonly visit: Visit; readonly read: () => void } | undefined {
    const hashes = this.all.flatMap(twins =>
      twins.first === file || twins.second === file ? [[twins, createHash('sha256')] as const] : [],
    )
    if (hashes.length === 0) return undefined
    const visit: Visit = record => {
      const { offset } = record.spans
      for (const [{ from, to }, hash] of hashes)
        if (offset >= from && offset < to) hash.update(`${offset}/`).update(fingerprintOf(record), 'latin1')
    }
    return { visit, read: () => hashes.forEach(([twins, hash]) => this.#note(twins, file, hash)) }
  }

  /** Undefined when not both files were read to their ends. */
  areSame(twins: Twins): boolean | undefined {
    const sums = this.#sums.get(twins)
    return sums?.size === 2 ? new Set(sums.values()).size === 1 : undefined
  }

  #note(twins: Twins, file: SurveyedFile, hash: Hash): void {
    const sums = this.#sums.get(twins) ?? new Map<SurveyedFile, string>()
    this.#sums.set(twins, sums.set(file, hash.digest('hex')))
  }
}
