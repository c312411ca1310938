import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { formatDuration } from '../src/config/units.ts'
import { progressBars } from '../src/observe/progress-bars.ts'
import { silentProgress } from '../src/observe/progress.ts'
import type { Progress, Task } from '../src/observe/progress.ts'
import { Screen } from '../src/observe/screen.ts'
import { systemClock } from '../src/runtime/clock.ts'
import { tethered } from '../test/helpers/tether.ts'

const program = join(import.meta.dirname, '../bin/maxbrod')
const WIDEST = 100
const LABEL_COLUMNS = 12

/** Where the demo shows what it does: chapters, commands, bars. */
export class Stage implements Disposable {
  readonly #folder: string
  readonly #startedAt = performance.now()
  readonly #screen = new Screen(text => process.stdout.write(text))
  readonly #progress: Progress & Disposable
  #chapters = 0

  constructor(folder: string) {
    this.#folder = folder
    this.#progress = process.stdout.isTTY
      ? progressBars({
          clock: systemClock,
          screen: this.#screen,
          print: line => this.#print(line),
          columns: () => process.stdout.columns,
          isColored: true,
        })
      : { ...silentProgress, [Symbol.dispose]: () => undefined }
  }

  chapter(title: string): void {
    this.#chapters++
    this.#print(`\n${styleText('bold', `${this.#chapters}. ${title}`)}\n`)
  }

  say(text: string): void {
    this.#print(`${text.replace(/^/gm, '   ')}\n`)
  }

  /** A bar, on a terminal. */
  watch(label: string, records: number): Task {
    return this.#progress.task(`   ${label.padEnd(LABEL_COLUMNS)}`, { unit: 'records', total: records })
  }

  /** Shows a command line as a user would type it. */
  command(args: readonly string[]): void {
    const line = `$ maxbrod ${args.join(' ').replaceAll(this.#folder, '/tmp/demo')}`
    const wrapped = line
      .replaceAll(' --', '\n--')
      .split('\n')
      .reduce<string[]>((lines, word) => {
        const last = lines.at(-1)
        if (last !== undefined && last.length + word.length < WIDEST) lines[lines.length - 1] = `${last} ${word}`
        else lines.push(last === undefined ? word : `    ${word}`)
        return lines
      }, [])
    this.say(styleText('cyan', wrapped.join(' \\\n')))
  }

  /** Runs a command to its end, with its own bars and its own words. Throws when it fails. */
  async maxbrod(args: readonly string[]): Promise<void> {
    this.command(args)
    const { PATH = '', HOME = '', TERM = '' } = process.env
    const child = spawn(...tethered(program, args), {
      cwd: this.#folder,
      env: { PATH, HOME, TERM, LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`maxbrod ${args[0]} ended with code ${code}`)
  }

  end(text: string): void {
    this.say(`\n${styleText('bold', text)}, in ${formatDuration(performance.now() - this.#startedAt)}`)
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]()
  }

  #print(text: string): void {
    this.#screen.above(() => process.stdout.write(text))
  }
}
