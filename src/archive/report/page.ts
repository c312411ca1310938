import { fit } from './fit.ts'
import { Html, markup, sizeOf } from './html.ts'
import type { CoveragePart, Page, TopicPart } from './model.ts'
import { restoreSection } from './restore-section.ts'
import { patterns, sampleSvg } from './strip-svg.ts'
import { policyOfPage, style } from './style.ts'
import { cut, topicForms } from './topic-fold.ts'

/** No page is larger, however much there is to tell. */
const PAGE_BYTES = 295_000
const NOTES = 20

export interface Look {
  /** Of a page that a server makes: it can be loaded again, every so many seconds if the reader asked for it. */
  readonly live?: { readonly refreshSeconds: number | undefined; readonly canRefreshSeconds: number }
}

/** One page that needs nothing else: no network, no script. Everything in it that is of others is escaped. Pure. */
export function renderPage(page: Page, { live }: Look = {}): string {
  const { coverage, restore, notes, facts, writer } = page
  const begin = markup`<!doctype html>
<html lang=en>
${headOf(page, live?.refreshSeconds)}
<body>
${coverage === undefined ? '' : markup`<a class=skip href=#topics>Skip to the topics</a>`}${patterns}
${headerOf(page, live)}
<main>
<dl>${facts.map(({ name, value }) => markup`<div><dt>${name}<dd>${value}</div>`)}</dl>
${notes.length === 0 ? '' : noteList(notes)}
${restore === undefined ? '' : restoreSection(restore)}
`
  const end = markup`</main>
<footer><p>${writer}</p></footer>
</body>
</html>
`
  const room = PAGE_BYTES - sizeOf(begin) - sizeOf(end)
  return markup`${begin}${coverage === undefined ? '' : coverageSection(coverage, room)}${end}`.text
}

function headOf({ title, status }: Page, refreshSeconds: number | undefined): Html {
  return markup`<head>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<meta http-equiv=Content-Security-Policy content="${new Html(policyOfPage)}">
<meta name=referrer content=no-referrer>
${refreshSeconds === undefined ? '' : markup`<meta http-equiv=refresh content=${refreshSeconds}>`}
<title>${status}: ${cut(title)}</title>
<style>${new Html(style)}</style>
</head>`
}

function headerOf({ title, status, headline, madeAtMs }: Page, live: Look['live']): Html {
  const made = new Date(madeAtMs).toISOString()
  const shown = `${made.slice(0, 10)} ${made.slice(11, 19)} UTC`
  return markup`<header>
<p class="badge ${status}">${status}</p>
<h1>${cut(title)}</h1>
<p class=lead>${cut(headline)}</p>
<p class=soft>as of <time datetime=${made}>${shown}</time>${live === undefined ? '' : reloading(live)}</p>
</header>`
}

/** A page that loads itself again loses the place of its reader: only for who asks. */
function reloading({ refreshSeconds, canRefreshSeconds: every }: NonNullable<Look['live']>): Html {
  return refreshSeconds === undefined
    ? markup` · <a href="?">load again</a> · <a href="?refresh=${every}">every ${every} seconds</a>`
    : markup`, and again every ${refreshSeconds} seconds · <a href="?">stop that</a>`
}

function noteList(notes: readonly string[]): Html {
  const more = notes.length - NOTES
  const items = notes.slice(0, NOTES).map(one => markup`<li>${cut(one, 1_000)}`)
  return markup`<div class=notes><ul>${items}${more > 0 ? markup`<li>and ${more} more` : ''}</ul></div>`
}

function coverageSection({ title, legend, topics, columns, more }: CoveragePart, room: number): Html {
  const begin = markup`<section aria-labelledby=topics><h2 id=topics tabindex=-1>${title}</h2>
<ul class=legend>${legend.map(({ kind, says }) => markup`<li>${sampleSvg(kind)}${says}`)}</ul>
`
  const end = markup`</section>\n`
  const forms = topics.toSorted(worstFirst).map(topic => topicForms(topic, { columns, more }))
  // What is said of topics that do not fit takes some room itself.
  return markup`${begin}${fit(forms, room - sizeOf(begin) - sizeOf(end) - 500, more)}${end}`
}

const ORDER = ['FAILURE', 'WARNING', 'OK'] as const

function worstFirst(a: TopicPart, b: TopicPart): number {
  return ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}
