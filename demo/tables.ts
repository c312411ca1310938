import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordToSend } from '../test/helpers/records.ts'
import type { Codec } from '../test/helpers/referee-types.ts'

/** Tables of the npm package vega-datasets as topics: keys, headers, tombstones, transactions, every codec but one. */

export interface DemoTopic {
  readonly name: string
  readonly partitions: number
  readonly codec: Codec
  readonly configs: Readonly<Record<string, string | number>>
  /** Records to be sent one after the other, those of an aborted transaction among them. */
  readonly sends: readonly Send[]
}

export interface Send {
  readonly records: readonly (RecordToSend & { readonly partition: number })[]
  /** Undefined when the records are not sent in a transaction. */
  readonly transaction?: 'commit' | 'abort'
}

type Row = Omit<RecordToSend, 'partition' | 'timestamp'> & { readonly at: number }

const dataFolder = join(import.meta.dirname, '../node_modules/vega-datasets/data')
/** Real dates are old: the source must not delete what the demo is about to back up. */
const keepForever = { 'retention.ms': -1 }
const SEND_RECORDS = 10_000
const TRANSACTION_RECORDS = 50
const SECOND = 1_000

export function demoTopics(): DemoTopic[] {
  return [flights(), zipcodes(), birdstrikes(), stockPrices()]
}

/** 200,000 flights without any order among them: no keys, JSON values. */
function flights(): DemoTopic {
  const table = JSON.parse(read('flights-200k.json')) as { delay: number; distance: number; time: number }[]
  const start = Date.parse('2001-01-01T00:00:00Z')
  const rows = table.map((flight, index) => ({ at: start + index * SECOND, value: JSON.stringify(flight) }))
  return { name: 'flights', partitions: 6, codec: 'lz4', configs: keepForever, sends: sendsOf(rows, 6) }
}

/** A table of the places behind ZIP codes; one in twenty is deleted again by a tombstone. */
function zipcodes(): DemoTopic {
  const start = Date.parse('2008-06-01T00:00:00Z')
  const places = lines('zipcodes.csv').map((line, index) => {
    const [zip = '', latitude, longitude, city, state = '', county = ''] = line.split(',')
    const value = JSON.stringify({ latitude: Number(latitude), longitude: Number(longitude), city })
    return {
      at: start + index * SECOND,
      key: zip,
      value,
      headers: [
        ['state', state],
        ['county', county],
      ] as const,
    }
  })
  const deleted = places.filter((_, index) => index % 20 === 0)
  const tombstones = deleted.map(({ at, key }) => ({ at: at + 86_400 * SECOND, key, value: null }))
  const configs = { ...keepForever, 'cleanup.policy': 'compact', 'min.compaction.lag.ms': 86_400_000 }
  return { name: 'zipcodes', partitions: 4, codec: 'zstd', configs, sends: sendsOf([...places, ...tombstones], 4) }
}

/** What birds did to aircraft: lines of CSV, headers with equal names, empty and null ones. */
function birdstrikes(): DemoTopic {
  const rows = lines('birdstrikes.csv').map(line => {
    const [airport = '', , effect = '', date = '', operator = ''] = line.split(',')
    const headers = [
      ['by', operator],
      ['by', 'bird'],
      ['', effect],
      ['seen', null],
    ] as const
    return { at: Date.parse(`${date}T12:00:00Z`) || 0, key: airport, value: line, headers }
  })
  return { name: 'birdstrikes', partitions: 3, codec: 'snappy', configs: keepForever, sends: sendsOf(rows, 3) }
}

/** Days of the S&P 500, fifty in a transaction, of which every fourth is aborted. */
function stockPrices(): DemoTopic {
  const rows = lines('sp500-2000.csv').map(line => {
    const date = line.slice(0, 10)
    return { at: Date.parse(`${date}T21:00:00Z`), key: date.slice(0, 7), value: line }
  })
  const sends = chunks(rows, TRANSACTION_RECORDS).map((some, index) => ({
    records: placed(some, 2),
    transaction: index % 4 === 3 ? ('abort' as const) : ('commit' as const),
  }))
  return { name: 'stock-prices', partitions: 2, codec: 'none', configs: keepForever, sends }
}

function sendsOf(rows: readonly Row[], partitions: number): Send[] {
  return chunks(rows, SEND_RECORDS).map(some => ({ records: placed(some, partitions) }))
}

function placed(rows: readonly Row[], partitions: number): Send['records'] {
  return rows.map(({ at, ...row }, index) => ({
    ...row,
    timestamp: at,
    partition: partitionOf(row.key, index) % partitions,
  }))
}

function partitionOf(key: RecordToSend['key'], index: number): number {
  return key === undefined || key === null ? index : createHash('md5').update(key).digest().readUInt32BE()
}

function lines(file: string): string[] {
  return read(file).trimEnd().split('\n').slice(1)
}

function read(file: string): string {
  return readFileSync(join(dataFolder, file), 'utf8')
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}
