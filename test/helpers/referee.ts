import { eventually } from './eventually.ts'
import type { Bytes, CanonicalRecord, RecordToSend } from './records.ts'
import { bufferOf } from './records.ts'
import { refereePortVariable } from './referee-host.ts'
import { refereeAt, refereeInJvm } from './referee-jvm.ts'
import type { RefereePlace } from './referee-jvm.ts'
import type {
  Codec,
  ConfigChanges,
  ConsumerOptions,
  GenerateOptions,
  Generated,
  GroupOffset,
  GroupOffsetToCommit,
  NextRecord,
  OpenOptions,
  PartitionOffsets,
  PartitionRead,
  Place,
  ProducerOptions,
  ReadOptions,
  TopicDescription,
  TopicOptions,
} from './referee-types.ts'

/**
 * Kafka's own Java clients, as an independent opinion: they write whatever Kafka accepts and say what a
 * cluster holds. The commands are those of test/java/maxbrod/Referee.java; calls run side by side. What Kafka refuses
 * is a RefereeError with the name of its class.
 */
export class Referee implements AsyncDisposable {
  readonly #place: RefereePlace
  #consumers = 0

  private constructor(place: RefereePlace) {
    this.#place = place
  }

  /** `settings` are those of Kafka's clients, beside the bootstrap servers. */
  static start(bootstrap: string, settings: Readonly<Record<string, string>> = {}): Referee {
    const all = { 'bootstrap.servers': bootstrap, ...settings }
    const port = process.env[refereePortVariable]
    return new Referee(port === undefined ? refereeInJvm(all) : refereeAt(Number(port), all))
  }

  createTopic(topic: string, options: TopicOptions = {}): Promise<{ topicId: string }> {
    return this.#place.line.call('createTopic', { topic, ...options })
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#place.line.call('deleteTopic', { topic })
  }

  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#place.line.call('describeTopic', { topic })
  }

  /** Of a topic, or of a broker by its id. */
  async alterConfigs(of: { topic: string } | { broker: number }, changes: ConfigChanges): Promise<void> {
    await this.#place.line.call('alterConfigs', { ...of, ...changes })
  }

  async addPartitions(topic: string, count: number): Promise<void> {
    await this.#place.line.call('addPartitions', { topic, count })
  }

  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    await this.#place.line.call('deleteRecords', { topic, partition, before })
  }

  /** At a broker with an authorizer: the user may see the topic, and not read it. */
  async denyReading(topic: string, user: string): Promise<void> {
    await this.#place.line.call('denyReading', { topic, user })
  }

  /** The produce quota of each client, in bytes per second and broker; 0 for none. */
  async limitProducers(bytesPerSecond: number): Promise<void> {
    await this.#place.line.call('limitProducers', { bytesPerSecond })
  }

  /** Makes another broker the leader of a partition. */
  async moveLeader(topic: string, partition: number, to: number): Promise<void> {
    await this.#place.line.call('moveLeader', { topic, partition, to })
  }

  /** Log start, last stable offset and log end of every partition. */
  offsets(topic: string): Promise<PartitionOffsets[]> {
    return this.#place.line.call('offsets', { topic })
  }

  /**
   * Waits until the markers of all ended transactions are in the log: the coordinator writes them after it has answered
   * EndTxn. For topics without an open transaction.
   */
  async awaitStable(topic: string): Promise<void> {
    await eventually(`the markers of ${topic} are in the log`, async () => {
      const partitions = await this.offsets(topic)
      return partitions.every(({ lastStable, end }) => lastStable === end)
    })
  }

  /** Waits until the cleaner has left at most so many committed records; see `compactedTopic` for the settings. */
  waitCompacted(topic: string, partition: number, atMost: number): Promise<{ records: number }> {
    return this.#place.line.call('waitCompacted', { topic, partition, atMost })
  }

  async commitOffsets(group: string, offsets: readonly GroupOffsetToCommit[]): Promise<void> {
    await this.#place.line.call('commitOffsets', { group, offsets })
  }

  groupOffsets(group: string): Promise<GroupOffset[]> {
    return this.#place.line.call('groupOffsets', { group })
  }

  listGroups(): Promise<{ group: string; type: string; state: string }[]> {
    return this.#place.line.call('listGroups', {})
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#place.line.call('deleteGroup', { group })
  }

  /** A live member of a group, of either protocol; resolves when it has partitions. */
  async openConsumer(
    group: string,
    topics: readonly string[],
    options: ConsumerOptions = {},
  ): Promise<RefereeConsumer> {
    const consumer = `${group}/${this.#consumers++}`
    await this.#place.line.call('openConsumer', { consumer, group, topics, ...options })
    return {
      commit: async offsets => void (await this.#place.line.call('commitConsumer', { consumer, offsets })),
      close: async () => void (await this.#place.line.call('closeConsumer', { consumer })),
    }
  }

  /** What a consumer of the group reads first in each of the partitions, beginning where the group has committed. */
  nextRecords(
    group: string,
    partitions: readonly { topic: string; partition: number }[],
    options: { readonly timeoutMs?: number } = {},
  ): Promise<NextRecord[]> {
    return this.#place.line.call('nextRecords', { group, partitions, ...options })
  }

  /** Sends records with Kafka's producer; what goes to one partition becomes one batch if it fits. */
  produce(topic: string, records: readonly RecordToSend[], options: ProducerOptions = {}): Promise<Place[]> {
    return this.#place.line.call('produce', { topic, records: records.map(wireRecord), ...options })
  }

  /** Sends RecordBatch bytes as they are; answers the offset of the first record. */
  async append(topic: string, partition: number, batches: Uint8Array): Promise<number> {
    const { baseOffset } = await this.#place.line.call<{ baseOffset: string }>('append', {
      topic,
      partition,
      batches: hex(batches),
    })
    return Number(baseOffset)
  }

  /** Sends one batch of records that Kafka's producer refuses: negative timestamps, names that are not UTF-8. */
  async appendRecords(
    topic: string,
    partition: number,
    records: readonly RecordToSend[],
    codec?: Codec,
  ): Promise<number> {
    const argument = { topic, partition, records: records.map(wireRecord), codec }
    const { baseOffset } = await this.#place.line.call<{ baseOffset: string }>('appendRecords', argument)
    return Number(baseOffset)
  }

  /** A producer that stays open, so that transactions can overlap and be left open. */
  async openProducer(name: string, options: OpenOptions = {}): Promise<RefereeProducer> {
    await this.#place.line.call('open', { producer: name, ...options })
    const step = async (command: string) => void (await this.#place.line.call(command, { producer: name }))
    return {
      begin: () => step('begin'),
      send: (topic, records) =>
        this.#place.line.call('send', { producer: name, topic, records: records.map(wireRecord) }),
      commit: () => step('commit'),
      abort: () => step('abort'),
      close: () => step('close'),
    }
  }

  /** Writes many records from a seed; answers what must be read afterwards. Options: test/java/maxbrod/Generate.java. */
  generate(topic: string, options: { partitions: number; records: number } & GenerateOptions): Promise<Generated[]> {
    return this.#place.line.call('generate', { topic, ...options })
  }

  /** Writes overlapping transactions, committed and aborted; answers what a read_committed reader must find. */
  generateTransactions(
    topic: string,
    options: { partitions: number; transactions: number; producers?: number; abortPercent?: number } & GenerateOptions,
  ): Promise<Generated[]> {
    return this.#place.line.call('generateTransactions', { topic, ...options })
  }

  /** Reads a topic to the ends it has now: counts and digests per partition. */
  read(topic: string, options: ReadOptions = {}): Promise<PartitionRead[]> {
    return this.#place.line.call('read', { topic, ...options })
  }

  /** The records of a topic, in the order of partitions and offsets. For small topics. */
  async records(topic: string, options: ReadOptions = {}): Promise<CanonicalRecord[]> {
    const partitions = await this.#place.line.call<(PartitionRead & { list: CanonicalRecord[] })[]>('read', {
      topic,
      ...options,
      records: true,
    })
    return partitions.flatMap(({ partition, list }) => list.map(record => ({ ...record, partition })))
  }

  /** Transactions that are open stay open at the broker. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.kill()
  }
}

export interface RefereeConsumer {
  commit(offsets: readonly GroupOffsetToCommit[]): Promise<void>
  /** Leaves the group. */
  close(): Promise<void>
}

export interface RefereeProducer {
  begin(): Promise<void>
  /** Sends and flushes: the records are in the log when it resolves. */
  send(topic: string, records: readonly RecordToSend[]): Promise<Place[]>
  commit(): Promise<void>
  abort(): Promise<void>
  close(): Promise<void>
}

function wireRecord({ partition, timestamp, key, value, headers }: RecordToSend): object {
  return {
    partition,
    timestamp: timestamp?.toString(),
    key: hex(key ?? null),
    value: hex(value ?? null),
    headers: headers?.map(([name, headerValue]) => [hex(name), hex(headerValue)]),
  }
}

function hex(bytes: Bytes | null): string | null {
  return bytes === null ? null : bufferOf(bytes).toString('hex')
}
