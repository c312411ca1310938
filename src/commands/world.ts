import type { Ports } from './ports.ts'

/** The process, as cli.ts hands it in: nothing else in src sees it. */
export interface World {
  /** Without program and script. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Out
  readonly stderr: Out
  /** Of maxbrod, and what it runs on: `Node 24.21.0`. */
  readonly version: string
  readonly runtime: string
  readFile(path: string): string
  /** Calls `listener` for each such signal until disposed. */
  onSignal(name: SignalName, listener: () => void): Disposable
  /** Loaded when a command runs: help needs no drivers. */
  ports(): Promise<Ports>
}

export interface Out {
  readonly isTerminal: boolean
  /** Width now. */
  columns(): number
  /** The text is with the system when this returns. */
  write(text: string): void
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGUSR1'
