import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AbortedFilter } from '../../src/format/batch/aborted.ts'
import { batchesIn } from '../../src/format/batch/record-batch.ts'
import { recordsIn } from '../../src/format/batch/records.ts'
import { encodeBatch } from '../helpers/plain-batch.ts'
import { check } from '../helpers/properties.ts'
import { Dice } from '../helpers/seed.ts'

/**
 * A model of a partition's log with transactions. It knows of each record what became of its transaction, because it wrote
 * the log; it filters nothing.
 */
interface LogEntry {
  readonly bytes: Buffer
  readonly from: number
  /** Behind the last offset of the batch. */
  readonly to: number
  /** Offsets of the records that are left in it; none for a marker. */
  readonly records: readonly number[]
  readonly transaction: Transaction | undefined
}

interface Transaction {
  readonly producerId: number
  readonly first: number
  /** Offset of the marker; undefined while it is open. */
  end: number | undefined
  isAborted: boolean
  /** Compaction took all its records, then what its marker said. */
  isGone: boolean
}

const transactional = 0b1_0000
const control = 0b10_0000

class LogModel {
  readonly entries: LogEntry[] = []
  readonly transactions: Transaction[] = []
  readonly #open = new Map<number, Transaction>()
  readonly #dice: Dice
  #next: number

  constructor(dice: Dice) {
    this.#dice = dice
    this.#next = dice.pick([0, 1, 1_000_000])
    const producers = dice.between(1, 4)
    for (let steps = dice.between(1, 30); steps > 0; steps--) this.#step(dice.between(1, producers))
    this.#clean()
  }

  get start(): number {
    return this.entries[0]?.from ?? this.#next
  }

  /** A committed reader sees nothing from the first record of an open transaction on. */
  get lastStable(): number {
    return Math.min(this.#next, ...[...this.#open.values()].map(({ first }) => first))
  }

  #step(producerId: number): void {
    const dice = this.#dice
    const open = this.#open.get(producerId)
    const what = dice.number()
    if (dice.number() < 0.1) this.#next += dice.between(1, 5)
    // Of a producer without transactions, whose id may be that of an aborted one.
    if (what < 0.15) this.#data(undefined, dice.pick([-1, 900, producerId]))
    else if (open === undefined || what < 0.65) {
      const transaction = open ?? { producerId, first: this.#next, end: undefined, isAborted: false, isGone: false }
      if (open === undefined) {
        this.transactions.push(transaction)
        this.#open.set(producerId, transaction)
      }
      this.#data(transaction, producerId)
    } else {
      open.isAborted = dice.number() < 0.5
      open.end = this.#next
      this.#open.delete(producerId)
      this.entries.push(this.#marker(open, true))
      this.#next++
    }
  }

  #data(transaction: Transaction | undefined, producerId: number): void {
    const count = this.#dice.between(1, 3)
    const records = Array.from({ length: count }, (_, n) => this.#next + n)
    this.entries.push(this.#dataBatch(records, this.#next, this.#next + count, transaction, producerId))
    this.#next += count
  }

  #dataBatch(
    records: readonly number[],
    from: number,
    to: number,
    transaction: Transaction | undefined,
    producerId: number,
  ): LogEntry {
    const bytes = encodeBatch(
      records.map(offset => ({
        offset: BigInt(offset),
        timestamp: 5n,
        // Keys that look like markers: abort, commit.
        key: this.#dice.pick([null, Buffer.from([0, 0, 0, 0]), Buffer.from([0, 0, 0, 1]), Buffer.from('key')]),
        value: Buffer.from('value'),
        headers: [],
      })),
      {
        baseOffset: BigInt(from),
        lastOffsetDelta: to - from - 1,
        producerId: BigInt(producerId),
        attributes: transaction === undefined ? 0 : transactional,
      },
    )
    return { bytes, from, to, records, transaction }
  }

  #marker(transaction: Transaction, isFull: boolean): LogEntry {
    const offset = transaction.end!
    const marker = {
      offset: BigInt(offset),
      timestamp: 6n,
      key: Buffer.from([0, 0, 0, transaction.isAborted ? 0 : 1]),
      value: Buffer.from([0, 0, 0, 0, 0, 7]),
      headers: [],
    }
    const bytes = encodeBatch(isFull ? [marker] : [], {
      baseOffset: BigInt(offset),
      lastOffsetDelta: 0,
      producerId: BigInt(transaction.producerId),
      attributes: transactional | control,
    })
    return { bytes, from: offset, to: offset + 1, records: [], transaction }
  }

  /** What the log cleaner may do: records go, batches keep their range, markers without records are emptied at last. */
  #clean(): void {
    const dice = this.#dice
    if (dice.number() < 0.5) return
    const dirty = dice.between(0, this.entries.length)
    for (let n = 0; n < dirty; n++) {
      const entry = this.entries[n]!
      if (entry.records.length === 0 || (entry.transaction !== undefined && entry.transaction.end === undefined))
        continue
      const kept = entry.transaction?.isAborted === true ? [] : entry.records.filter(() => dice.number() < 0.6)
      const producerId = entry.transaction?.producerId ?? -1
      this.entries[n] = this.#dataBatch(kept, entry.from, entry.to, entry.transaction, producerId)
    }
    for (const transaction of this.transactions) {
      const own = this.entries.filter(entry => entry.transaction === transaction)
      transaction.isGone =
        transaction.end !== undefined && own.every(({ records }) => records.length === 0) && dice.number() < 0.7
      const at = this.entries.findIndex(({ from }) => from === transaction.end)
      if (transaction.isGone) this.entries[at] = this.#marker(transaction, false)
    }
  }

  /** As brokers answer a committed fetch: aborted transactions that reach into it, in the order of their markers. */
  fetch(from: number, atMost: number): { bytes: Buffer; aborted: Transaction[]; entries: LogEntry[] } {
    const entries = this.entries.filter(entry => entry.to > from && entry.to <= this.lastStable).slice(0, atMost)
    // A broker looks as far as its next segment, so transactions that begin behind the answer are listed, too.
    const upper = (entries.at(-1)?.to ?? from) + this.#dice.pick([0, 0, 10])
    const aborted = this.transactions
      .filter(({ isAborted, isGone, end }) => isAborted && !isGone && end !== undefined && end >= from)
      .filter(({ first }) => first < upper)
      .sort((a, b) => a.end! - b.end!)
    return { bytes: Buffer.concat(entries.map(({ bytes }) => bytes)), aborted, entries }
  }
}

test('a committed fetch gives exactly the records of committed transactions and of none, wherever it begins', () => {
  let dropped = 0
  let kept = 0
  check(
    fc.property(fc.integer(), seed => {
      const dice = new Dice('log with transactions', String(seed))
      const log = new LogModel(dice)
      const from = dice.between(log.start, log.lastStable)
      const { bytes, aborted, entries } = log.fetch(from, dice.between(1, 40))
      const expected = entries
        .filter(({ transaction }) => transaction === undefined || !transaction.isAborted)
        .flatMap(({ records }) => records)
        .filter(offset => offset >= from)

      const filter = new AbortedFilter(
        aborted.map(({ producerId, first }) => ({ producerId: BigInt(producerId), firstOffset: first })),
      )
      const seen: number[] = []
      for (const batch of batchesIn(bytes)) {
        const isDropped = filter.drops(batch)
        if (isDropped) dropped += batch.recordCount
        if (isDropped || batch.isControl) continue
        for (const { offset } of recordsIn(batch, batch.payload)) if (offset >= from) seen.push(offset)
      }
      assert.deepEqual(seen, expected)
      kept += seen.length
    }),
    3_000,
  )
  assert.ok(dropped > 1_000 && kept > 1_000, `${dropped} dropped, ${kept} kept: the model makes the wrong logs`)
})

test('a compressed control batch is an error: nobody writes one, and its marker would be missed', () => {
  const batch = encodeBatch([], {
    baseOffset: 4n,
    lastOffsetDelta: 0,
    producerId: 7n,
    attributes: transactional | control | 1,
  })
  const filter = new AbortedFilter([{ producerId: 7n, firstOffset: 0 }])
  assert.throws(() => filter.drops([...batchesIn(batch)][0]!), { name: 'DecodeError' })
})
