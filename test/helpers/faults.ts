import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What shall go wrong at which call of a port, as text, so that it fits into a variable of a process:
 *
 *     store.put~orders/0/:after:3:kill; kafka.fetch:before:5-:fail:NETWORK_EXCEPTION; disk.append:before:1:delay:500
 *     └──verb──┘└─text──┘  │   │  └── effect, and what it needs
 *                          │   └── which of the calls whose detail (key, path, partitions) holds the text: 3, 2-5, 5-, *
 *                          └── before the call, or when it is done and its caller has not been told
 */
export interface Fault {
  readonly verb: string
  readonly text: string
  readonly when: 'before' | 'after'
  readonly from: number
  readonly to: number
  readonly effect: Effect
  readonly argument: string
  /** As it was written. */
  readonly source: string
}

const EFFECTS = [
  /** The process dies, as by a power cut. */
  'kill',
  /** The process stands still until it gets SIGCONT. */
  'stop',
  /** The call fails, by a temporary error or the one that is named; after the call, its answer is lost. */
  'fail',
  /** The call never ends. */
  'hang',
  /** The call takes so many ms longer. */
  'delay',
  /** The caller gets this JSON, or undefined; before the call, the call is not made at all. */
  'answer',
  /** Nothing, but it is written down. */
  'note',
] as const
export type Effect = (typeof EFFECTS)[number]

const FAULT = /^([a-z]+\.[a-zA-Z]+)(?:~([^:;]+))?:(before|after):([0-9]+)?(-)?([0-9]+)?(\*)?:([a-z]+)(?::(.*))?$/s

export function parseFaults(text: string): Fault[] {
  return text
    .split(';')
    .map(one => one.trim())
    .filter(one => one !== '')
    .map(parseFault)
}

function parseFault(source: string): Fault {
  const [, verb = '', text = '', when, first, dash, last, all, word, argument = ''] = FAULT.exec(source) ?? []
  const effect = EFFECTS.find(known => known === word)
  const isRange = all === undefined ? first !== undefined : first === undefined && dash === undefined
  if (effect === undefined || !isRange) throw new Error(`no fault: ${source}`)
  const from = Number(first ?? 1)
  const to = all !== undefined || (dash !== undefined && last === undefined) ? Infinity : Number(last ?? from)
  return { verb, text, when: when as Fault['when'], from, to, effect, argument, source }
}

/** What a fault does that is more than waiting: tests of the faults themselves need not die. */
export interface Hands {
  signal(name: 'SIGKILL' | 'SIGSTOP'): void
  write(line: string): void
}

const ownHands: Hands = {
  signal: name => void process.kill(process.pid, name),
  // Synchronously: the process may be dead with the next statement.
  write: line => void writeSync(2, line),
}

export interface Call<T> {
  readonly verb: string
  /** What the call is about: key, path or partitions. */
  readonly detail: string
  readonly make: () => T
  /** What `fail` without an argument makes of it, or with one: throws, or returns what stands for a failure. */
  readonly fail: (code: string) => unknown
}

/** Counts the calls of ports and has happen what was ordered. Each fault that fires is a line on standard error. */
export class Faults {
  readonly #orders: { readonly fault: Fault; calls: number }[]
  readonly #hands: Hands

  constructor(faults: readonly Fault[], hands: Hands = ownHands) {
    this.#orders = faults.map(fault => ({ fault, calls: 0 }))
    this.#hands = hands
  }

  async run<T>(call: Call<Promise<T>>): Promise<T> {
    const due = this.#count(call)
    const instead = await this.#happen(call, due, 'before')
    if (instead !== undefined) return instead.answer as T
    const answer = await call.make()
    const other = await this.#happen(call, due, 'after')
    return other === undefined ? answer : (other.answer as T)
  }

  async *stream<T>(call: Call<AsyncIterable<T>>): AsyncGenerator<T> {
    const due = this.#count(call)
    if ((await this.#happen(call, due, 'before')) !== undefined) return
    yield* call.make()
    await this.#happen(call, due, 'after')
  }

  #count({ verb, detail }: Pick<Call<unknown>, 'verb' | 'detail'>): Fault[] {
    const due: Fault[] = []
    for (const order of this.#orders) {
      const { fault } = order
      if (fault.verb !== verb || !detail.includes(fault.text)) continue
      order.calls++
      if (order.calls >= fault.from && order.calls <= fault.to) due.push(fault)
    }
    return due
  }

  /** Answers with what the caller gets instead, if it gets something else. */
  async #happen(
    { detail, fail }: Call<unknown>,
    due: readonly Fault[],
    when: Fault['when'],
  ): Promise<{ readonly answer: unknown } | undefined> {
    let instead: { readonly answer: unknown } | undefined
    for (const { effect, argument, source } of due.filter(fault => fault.when === when)) {
      this.#hands.write(`fault: ${source} (${detail})\n`)
      switch (effect) {
        case 'kill':
          this.#hands.signal('SIGKILL')
          return never()
        case 'stop':
          this.#hands.signal('SIGSTOP')
          break
        case 'hang':
          return never()
        case 'delay':
          await sleep(Number(argument))
          break
        case 'fail':
          instead = { answer: fail(argument) }
          break
        case 'answer':
          instead = { answer: argument === '' ? undefined : JSON.parse(argument) }
          break
        case 'note':
      }
    }
    return instead
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}

/** The faults that fired, as they were ordered, in the output of a process. */
export function firedFaults(output: string): string[] {
  return [...output.matchAll(/^fault: (.*) \(.*\)$/gm)].map(([, source = '']) => source)
}
