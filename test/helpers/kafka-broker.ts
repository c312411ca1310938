import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { javaArguments, javaProgram } from '../servers/jars.ts'
import { eventually } from './eventually.ts'
import { brokerProperties } from './kafka-properties.ts'
import type { Listener, SecurityProtocol } from './kafka-properties.ts'
import { runningBrokers } from './kafka-probe.ts'
import { freePorts } from './ports.ts'
import { endServer, tailOf } from './server-process.ts'
import { tethered } from './tether.ts'

export interface KafkaOptions {
  /** Nodes, each broker and controller in a JVM of its own. Default 1. */
  readonly brokers?: 1 | 3
  /** Settings of server.properties that differ from kafka-properties.ts. */
  readonly properties?: Readonly<Record<string, string | number>>
  /** Further listeners of every node, by name: see `Broker.addressOf`. Their settings are `listener.name.<name>.…`. */
  readonly listeners?: Readonly<Record<string, SecurityProtocol>>
  /** Where the first node sends the clients of a further listener: to the port of a proxy in front of it. */
  readonly advertised?: Readonly<Record<string, number>>
  /** Users and passwords for SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly scramUsers?: Readonly<Record<string, string>>
  readonly heapMiB?: number
}

const startTimeoutMs = 120_000

/** A real Kafka cluster that belongs to one test: `await using kafka = await Kafka.start()`. Gone when disposed of. */
export class Kafka implements AsyncDisposable {
  readonly brokers: readonly Broker[]
  readonly #folder: string

  private constructor(brokers: readonly Broker[], folder: string) {
    this.brokers = brokers
    this.#folder = folder
  }

  /** Resolves when every node answers requests and knows all the others. */
  static async start(options: KafkaOptions = {}): Promise<Kafka> {
    const {
      brokers: count = 1,
      properties = {},
      heapMiB = 256,
      listeners = {},
      advertised = {},
      scramUsers = {},
    } = options
    const folder = await mkdtemp(join(tmpdir(), 'maxbrod-kafka-'))
    // The zero keeps a minus away from the front, where kafka-storage takes it for a flag.
    const clusterId = Buffer.concat([Buffer.of(0), randomBytes(15)]).toString('base64url')
    const names = Object.entries(listeners)
    const ports = await freePorts((2 + names.length) * count)
    const nodes = Array.from({ length: count }, (_, index) => ({
      nodeId: index + 1,
      port: ports[index]!,
      controllerPort: ports[count + index]!,
      listeners: names.map(([name, protocol], at) => ({
        name,
        protocol,
        port: ports[(2 + at) * count + index]!,
        advertisedPort: index === 0 ? advertised[name] : undefined,
      })),
    }))
    const brokers = nodes.map(
      node => new Broker({ ...node, clusterId, heapMiB, scramUsers, folder: join(folder, `${node.nodeId}`) }),
    )
    const kafka = new Kafka(brokers, folder)
    try {
      for (const [index, broker] of brokers.entries()) {
        await broker.prepare(brokerProperties(nodes, index, join(broker.folder, 'data'), properties))
      }
      await Promise.all(brokers.map(broker => broker.restart({ withBrokers: count })))
      return kafka
    } catch (error) {
      const log = brokers.map(broker => broker.logTail()).join('\n')
      await kafka[Symbol.asyncDispose]()
      throw new Error(`Kafka did not start:\n${log}`, { cause: error })
    }
  }

  /** For `--bootstrap-server`. */
  get bootstrap(): string {
    return this.brokers.map(broker => broker.address).join(',')
  }

  /** The end of every node's log, for the report of a failed test. */
  logTail(lines?: number): string {
    return this.brokers.map(broker => `--- log of broker ${broker.nodeId}\n${broker.logTail(lines)}`).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody needs the data any more, so there is nothing to shut down in order.
    await Promise.all(this.brokers.map(broker => broker.kill9()))
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

interface BrokerPlace {
  readonly nodeId: number
  readonly port: number
  readonly folder: string
  readonly clusterId: string
  readonly heapMiB: number
  readonly listeners: readonly Listener[]
  readonly scramUsers: Readonly<Record<string, string>>
}

/** One node. Its data and its port outlive kill9 and stop. */
export class Broker {
  readonly nodeId: number
  readonly port: number
  readonly folder: string
  readonly logFile: string
  readonly #place: BrokerPlace
  #process: ChildProcess | undefined

  constructor(place: BrokerPlace) {
    this.#place = place
    this.nodeId = place.nodeId
    this.port = place.port
    this.folder = place.folder
    this.logFile = join(place.folder, 'broker.log')
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Of one of the further listeners. */
  addressOf(listener: string): string {
    return `127.0.0.1:${this.#place.listeners.find(({ name }) => name === listener)!.port}`
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  async prepare(properties: string): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    await writeFile(join(this.folder, 'server.properties'), properties)
  }

  /** Starts the node, again or for the first time; resolves when it answers and sees so many brokers, itself among them. */
  async restart({ withBrokers = 1 } = {}): Promise<void> {
    await this.stop()
    const log = openSync(this.logFile, 'a')
    const scram = Object.entries(this.#place.scramUsers).flatMap(([user, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
        '--add-scram',
        `${mechanism}=[name=${user},password=${password}]`,
      ]),
    )
    const args = javaArguments({
      classPath: 'kafka',
      main: 'maxbrod.Broker',
      heapMiB: this.#place.heapMiB,
      // Most brokers here live for seconds: the second compiler would never pay off.
      flags: ['-XX:TieredStopAtLevel=1'],
      args: [join(this.folder, 'server.properties'), join(this.folder, 'data'), this.#place.clusterId, ...scram],
    })
    const child = spawn(...tethered(javaProgram(), args), { stdio: ['pipe', log, log] })
    closeSync(log)
    this.#process = child
    const isUp = async () => {
      if (child.exitCode !== null) return true
      const running = await runningBrokers(this.port)
      return running.includes(this.nodeId) && running.length >= withBrokers
    }
    await eventually(`broker ${this.nodeId} answers`, isUp, { timeoutMs: startTimeoutMs })
    if (child.exitCode !== null) throw new Error(`broker ${this.nodeId} ended with code ${child.exitCode}`)
  }

  /** Ends the node in order: it hands over its partitions and closes its logs. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends the node as a power cut does. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Freezes the node: connections stay open and nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  logTail(lines = 40): string {
    return tailOf(this.logFile, lines)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = undefined
    await endServer(child, signal)
  }
}
