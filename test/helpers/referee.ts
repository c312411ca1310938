import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { javaArguments, javaProgram } from '../servers/jars.ts'
import type { Bytes, CanonicalRecord, RecordToSend } from './records.ts'
import { bufferOf } from './records.ts'
import type {
  Codec,
  ConfigChanges,
  GenerateOptions,
  Generated,
  GroupOffset,
  GroupOffsetToCommit,
  OpenOptions,
  PartitionOffsets,
  PartitionRead,
  Place,
  ProducerOptions,
  ReadOptions,
  TopicDescription,
  TopicOptions,
} from './referee-types.ts'
import { tethered } from './tether.ts'

/**
 * Kafka's own Java clients in one JVM, as an independent opinion: they write whatever Kafka accepts and say what a
 * cluster holds. The commands are those of test/java/maxbrod/Referee.java; calls run side by side.
 */
export class Referee implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #errors = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors = (this.#errors + text).slice(-8_000)))
    createInterface({ input: child.stdout! }).on('line', line => this.#settle(JSON.parse(line) as Answer))
    child.once('exit', code => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the referee ended (${code}):\n${this.#errors}`))
      this.#waiting.clear()
    })
    // A write to a referee that has just died fails the call it belongs to by the exit above.
    child.stdin!.on('error', () => undefined)
  }

  /** `settings` are those of Kafka's clients, beside the bootstrap servers. */
  static start(bootstrap: string, settings: Readonly<Record<string, string>> = {}): Referee {
    const clients = JSON.stringify({ 'bootstrap.servers': bootstrap, ...settings })
    const args = javaArguments({
      classPath: 'kafka',
      main: 'maxbrod.Referee',
      heapMiB: 768,
      args: [clients],
      isTethered: false,
    })
    return new Referee(spawn(...tethered(javaProgram(), args), { stdio: ['pipe', 'pipe', 'pipe'] }))
  }

  createTopic(topic: string, options: TopicOptions = {}): Promise<{ topicId: string }> {
    return this.call('createTopic', { topic, ...options })
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.call('deleteTopic', { topic })
  }

  describeTopic(topic: string): Promise<TopicDescription> {
    return this.call('describeTopic', { topic })
  }

  /** Of a topic, or of a broker by its id. */
  async alterConfigs(of: { topic: string } | { broker: number }, changes: ConfigChanges): Promise<void> {
    await this.call('alterConfigs', { ...of, ...changes })
  }

  async addPartitions(topic: string, count: number): Promise<void> {
    await this.call('addPartitions', { topic, count })
  }

  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    await this.call('deleteRecords', { topic, partition, before })
  }

  /** Makes another broker the leader of a partition. */
  async moveLeader(topic: string, partition: number, to: number): Promise<void> {
    await this.call('moveLeader', { topic, partition, to })
  }

  /** Log start, last stable offset and log end of every partition. */
  offsets(topic: string): Promise<PartitionOffsets[]> {
    return this.call('offsets', { topic })
  }

  /** Waits until the cleaner has left at most so many committed records; see `compactedTopic` for the settings. */
  waitCompacted(topic: string, partition: number, atMost: number): Promise<{ records: number }> {
    return this.call('waitCompacted', { topic, partition, atMost })
  }

  async commitOffsets(group: string, offsets: readonly GroupOffsetToCommit[]): Promise<void> {
    await this.call('commitOffsets', { group, offsets })
  }

  groupOffsets(group: string): Promise<GroupOffset[]> {
    return this.call('groupOffsets', { group })
  }

  listGroups(): Promise<{ group: string; type: string; state: string }[]> {
    return this.call('listGroups', {})
  }

  async deleteGroup(group: string): Promise<void> {
    await this.call('deleteGroup', { group })
  }

  /** Sends records with Kafka's producer; what goes to one partition becomes one batch if it fits. */
  produce(topic: string, records: readonly RecordToSend[], options: ProducerOptions = {}): Promise<Place[]> {
    return this.call('produce', { topic, records: records.map(wireRecord), ...options })
  }

  /** Sends RecordBatch bytes as they are; answers the offset of the first record. */
  async append(topic: string, partition: number, batches: Uint8Array): Promise<number> {
    const { baseOffset } = await this.call<{ baseOffset: string }>('append', {
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
    const { baseOffset } = await this.call<{ baseOffset: string }>('appendRecords', argument)
    return Number(baseOffset)
  }

  /** A producer that stays open, so that transactions can overlap and be left open. */
  async openProducer(name: string, options: OpenOptions = {}): Promise<RefereeProducer> {
    await this.call('open', { producer: name, ...options })
    const step = async (command: string) => void (await this.call(command, { producer: name }))
    return {
      begin: () => step('begin'),
      send: (topic, records) => this.call('send', { producer: name, topic, records: records.map(wireRecord) }),
      commit: () => step('commit'),
      abort: () => step('abort'),
      close: () => step('close'),
    }
  }

  /** Writes many records from a seed; answers what must be read afterwards. Options: test/java/maxbrod/Generate.java. */
  generate(topic: string, options: { partitions: number; records: number } & GenerateOptions): Promise<Generated[]> {
    return this.call('generate', { topic, ...options })
  }

  /** Writes overlapping transactions, committed and aborted; answers what a read_committed reader must find. */
  generateTransactions(
    topic: string,
    options: { partitions: number; transactions: number; producers?: number; abortPercent?: number } & GenerateOptions,
  ): Promise<Generated[]> {
    return this.call('generateTransactions', { topic, ...options })
  }

  /** Reads a topic to the ends it has now: counts and digests per partition. */
  read(topic: string, options: ReadOptions = {}): Promise<PartitionRead[]> {
    return this.call('read', { topic, ...options })
  }

  /** The records of a topic, in the order of partitions and offsets. For small topics. */
  async records(topic: string, options: ReadOptions = {}): Promise<CanonicalRecord[]> {
    const partitions = await this.call<(PartitionRead & { list: CanonicalRecord[] })[]>('read', {
      topic,
      ...options,
      records: true,
    })
    return partitions.flatMap(({ partition, list }) => list.map(record => ({ ...record, partition })))
  }

  call<T>(command: string, args: object): Promise<T> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return Promise.reject(new Error(`the referee has ended:\n${this.#errors}`))
    }
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#child.stdin!.write(`${JSON.stringify({ id, command, ...args })}\n`)
    return waiting.promise as Promise<T>
  }

  /** Ends the JVM. Transactions that are open stay open at the broker. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #settle({ id, answer, error, type }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(answer)
    else waiting?.reject(new RefereeError(error, type ?? ''))
  }
}

/** An error of Kafka's clients; `type` is the name of its Java class, such as TopicExistsException. */
export class RefereeError extends Error {
  override readonly name = 'RefereeError'
  readonly type: string

  constructor(message: string, type: string) {
    super(`${type}: ${message}`)
    this.type = type
  }
}

export interface RefereeProducer {
  begin(): Promise<void>
  /** Sends and flushes: the records are in the log when it resolves. */
  send(topic: string, records: readonly RecordToSend[]): Promise<Place[]>
  commit(): Promise<void>
  abort(): Promise<void>
  close(): Promise<void>
}

interface Answer {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
  readonly type?: string
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
