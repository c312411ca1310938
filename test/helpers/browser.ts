import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Chromium } from './chromium.ts'
import { eventually } from './eventually.ts'
import { tethered } from './tether.ts'

/** What a browser is told, so that it does nothing by itself. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--disable-extensions',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
  '--remote-debugging-port=0',
]

type Event = { readonly method: string; readonly params: Record<string, unknown> }

/** A browser without a window, over its DevTools protocol. */
export class Browser implements AsyncDisposable {
  readonly #process
  readonly #folder: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #pages = new Map<string, Event[]>()
  #asked = 0

  private constructor(process: ReturnType<typeof spawn>, folder: string, socket: WebSocket) {
    this.#process = process
    this.#folder = folder
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data))))
    socket.addEventListener('close', () => {
      for (const waiting of this.#waiting.values()) waiting.reject(new Error('the browser is gone'))
    })
  }

  static async start({ program, env }: Chromium): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'maxbrod-browser-'))
    const child = spawn(...tethered(program, [...FLAGS, `--user-data-dir=${folder}`, 'about:blank']), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const lines = createInterface({ input: child.stderr })
    const said: string[] = []
    const address = await new Promise<string>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`the browser did not start:\n${said.join('\n')}`)))
      lines.on('line', line => {
        said.push(line)
        const found = /^DevTools listening on (\S+)$/.exec(line)
        if (found !== null) resolve(found[1]!)
      })
    })
    const socket = new WebSocket(address)
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve())
      socket.addEventListener('error', () => reject(new Error('the browser does not listen')))
    })
    return new Browser(child, folder, socket)
  }

  /** A new page, blank, which notes whatever it asks the network for and whatever it complains of. */
  async open(options: { readonly hasScript?: boolean; readonly theme?: 'dark' | 'light' } = {}): Promise<BrowserPage> {
    const { targetId } = await this.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
    const attaching = this.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
    const { sessionId } = await attaching
    const events: Event[] = []
    this.#pages.set(sessionId, events)
    const page = new BrowserPage((method, params) => this.send(method, params, sessionId), events)
    await page.prepare(options)
    return page
  }

  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#asked
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(id, { resolve, reject })
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
    return promise as Promise<T>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('exit', resolve))
    // Its other processes go with it; what does not end by itself is killed with this one.
    await this.send('Browser.close').catch(() => this.#process.kill('SIGKILL'))
    await ended
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #take(message: { id?: number; sessionId?: string; result?: unknown; error?: { message: string } } & Event): void {
    if (message.id === undefined) return void this.#pages.get(message.sessionId ?? '')?.push(message)
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.error === undefined) waiting?.resolve(message.result)
    else waiting?.reject(new Error(message.error.message))
  }
}

type Send = <T>(method: string, params?: object) => Promise<T>

export class BrowserPage {
  readonly send: Send
  readonly #events: Event[]

  constructor(send: Send, events: Event[]) {
    this.send = send
    this.#events = events
  }

  async prepare({ hasScript = true, theme = 'light' }: { readonly hasScript?: boolean; readonly theme?: string }) {
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility', 'Audits'])
      await this.send(`${domain}.enable`)
    await this.send('Emulation.setScriptExecutionDisabled', { value: !hasScript })
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] })
    await this.size(1_200, 900)
  }

  size(width: number, height: number): Promise<void> {
    return this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
  }

  /** Loads an address, and comes back when all of it is there. */
  async go(url: string): Promise<void> {
    const before = this.#count('Page.loadEventFired')
    const { errorText } = await this.send<{ errorText?: string }>('Page.navigate', { url })
    assert.equal(errorText, undefined)
    const isLoaded = () => this.#count('Page.loadEventFired') > before
    await eventually(`${url} is loaded`, isLoaded, { timeoutMs: 120_000, everyMs: 10 })
  }

  /** What an expression is; works in pages whose own scripts are off, too. */
  async evaluate<T>(expression: string): Promise<T> {
    const asked = { expression, returnByValue: true, awaitPromise: true }
    const { result, exceptionDetails } = await this.send<{ result: { value: T }; exceptionDetails?: object }>(
      'Runtime.evaluate',
      asked,
    )
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails)?.slice(0, 1_000))
    return result.value
  }

  async press(key: string, code = key): Promise<void> {
    const windowsVirtualKeyCode = { Tab: 9, Enter: 13, ' ': 32 }[key]
    const common = { key, code, windowsVirtualKeyCode, ...(key === 'Enter' ? { text: '\r' } : {}) }
    await this.send('Input.dispatchKeyEvent', { type: key === 'Enter' ? 'keyDown' : 'rawKeyDown', ...common })
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common })
  }

  /** A PNG of the whole page. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send<{ data: string }>('Page.captureScreenshot', { captureBeyondViewport: true })
    return Buffer.from(data, 'base64')
  }

  /** What it asked for, by address. */
  get requests(): string[] {
    return this.#of('Network.requestWillBeSent').map(({ request }) => (request as { url: string }).url)
  }

  /** Messages on its console, exceptions, refusals by its policy, and issues that the browser found. */
  get complaints(): string[] {
    const methods = ['Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded', 'Audits.issueAdded']
    return methods.flatMap(method =>
      this.#of(method).map(params => `${method} ${JSON.stringify(params).slice(0, 600)}`),
    )
  }

  #of(method: string): Record<string, unknown>[] {
    return this.#events.filter(event => event.method === method).map(({ params }) => params)
  }

  #count(method: string): number {
    return this.#of(method).length
  }
}
