import type { RecordToSend } from '../test/helpers/records.ts'
import { RecordDigest, bufferOf } from '../test/helpers/records.ts'
import type { Referee } from '../test/helpers/referee.ts'
import type { DemoTopic, Send } from './tables.ts'

/** What a topic must hold in the end, by partition. */
export interface Produced {
  readonly topic: string
  readonly partitions: readonly { readonly records: number; readonly digest: string }[]
  readonly records: number
  readonly tombstones: number
  readonly aborted: number
}

/** Creates a topic and fills it by Kafka's own Java producer; says what was produced. */
export async function loadTopic(referee: Referee, topic: DemoTopic): Promise<Produced> {
  const { name, partitions, codec, configs, sends } = topic
  await referee.createTopic(name, { partitions, configs })
  const sent: Sent[] = []
  const transactions = sends.filter(({ transaction }) => transaction !== undefined)
  for (const send of sends) {
    if (send.transaction !== undefined) continue
    sent.push(...inPlace(send, await referee.produce(name, send.records, { codec })))
  }
  if (transactions.length > 0) sent.push(...(await sendTransactions(referee, topic, transactions)))
  const kept = sent.filter(({ isAborted }) => !isAborted)
  return {
    topic: name,
    partitions: Array.from({ length: partitions }, (_, partition) =>
      digestOf(kept.filter(({ record }) => record.partition === partition)),
    ),
    records: kept.length,
    tombstones: kept.filter(({ record }) => record.value === null).length,
    aborted: sent.length - kept.length,
  }
}

interface Sent {
  readonly record: RecordToSend
  readonly offset: bigint
  readonly isAborted: boolean
}

async function sendTransactions(
  referee: Referee,
  { name, codec }: DemoTopic,
  transactions: readonly Send[],
): Promise<Sent[]> {
  const producer = await referee.openProducer(name, { transactionalId: `demo-${name}`, codec })
  const sent: Sent[] = []
  for (const send of transactions) {
    await producer.begin()
    sent.push(...inPlace(send, await producer.send(name, send.records)))
    await (send.transaction === 'abort' ? producer.abort() : producer.commit())
  }
  await producer.close()
  return sent
}

function inPlace({ records, transaction }: Send, places: readonly { readonly offset: string }[]): Sent[] {
  return records.map((record, index) => ({
    record,
    offset: BigInt(places[index]?.offset ?? -1),
    isAborted: transaction === 'abort',
  }))
}

/** Over offset, timestamp, key, value and headers of each record, in order. */
function digestOf(sent: readonly Sent[]): { records: number; digest: string } {
  const digest = new RecordDigest()
  for (const { record, offset } of sent.toSorted((a, b) => Number(a.offset - b.offset))) {
    digest.add({
      offset,
      timestamp: BigInt(record.timestamp ?? -1),
      key: bytesOf(record.key),
      value: bytesOf(record.value),
      headers: (record.headers ?? []).map(([name, value]) => [bufferOf(name), bytesOf(value)] as const),
    })
  }
  return { records: sent.length, digest: digest.values().digest }
}

function bytesOf(bytes: RecordToSend['value']): Buffer | null {
  return bytes === undefined || bytes === null ? null : bufferOf(bytes)
}
