import type { Page } from '../archive/report/model.ts'
import { renderPage } from '../archive/report/page.ts'
import { policyOfServer } from '../archive/report/style.ts'
import type { Reply, RouteRequest, Routes } from '../observe/http.ts'
import type { PageOptions } from '../observe/options.ts'
import type { Clock } from '../runtime/clock.ts'

/** Between two looks at the work: however many ask, it is disturbed no more often. */
const KEPT_MS = 3_000
const REFRESH_SECONDS = 10

/** The page that a running command shows of itself. */
export class LivePage {
  readonly #clock: Clock
  readonly #who: PageOptions['livePage']
  #look: (() => Page) | undefined
  #seen: { readonly page: Page; readonly atMs: number; readonly texts: Map<boolean, string> } | undefined

  constructor(clock: Clock, { livePage }: PageOptions) {
    this.#clock = clock
    this.#who = livePage
  }

  /** From now on this is shown, until disposed. */
  connect(look: () => Page): Disposable {
    this.#look = look
    return {
      [Symbol.dispose]: () => {
        this.#look = undefined
        this.#seen = undefined
      },
    }
  }

  get routes(): Routes {
    return this.#who === 'off' ? {} : { 'GET /': request => this.#answer(request) }
  }

  #answer({ query, isLocal }: RouteRequest): Reply {
    if (this.#who === 'loopback' && !isLocal) return { status: 403, body: ELSEWHERE }
    const page = this.#page()
    if (page === undefined) return { status: 503, body: 'nothing to see yet, or no more\n' }
    const isRefreshed = query.get('refresh') === String(REFRESH_SECONDS)
    let text = page.texts.get(isRefreshed)
    if (text === undefined) {
      const refreshSeconds = isRefreshed ? REFRESH_SECONDS : undefined
      text = renderPage(page.page, { live: { refreshSeconds, canRefreshSeconds: REFRESH_SECONDS } })
      page.texts.set(isRefreshed, text)
    }
    return { type: 'text/html; charset=utf-8', policy: policyOfServer, body: text }
  }

  #page() {
    const nowMs = this.#clock.monotonic()
    if (this.#look === undefined) return undefined
    if (this.#seen === undefined || nowMs - this.#seen.atMs >= KEPT_MS)
      this.#seen = { page: this.#look(), atMs: nowMs, texts: new Map() }
    return this.#seen
  }
}

const ELSEWHERE = `This page is shown to its own host only: ask for http://127.0.0.1 and the port there, or through
kubectl port-forward or ssh -L. With --live-page everywhere it is for whoever reaches this port.
`
