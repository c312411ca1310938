import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Page } from '../../../src/archive/report/model.ts'
import { renderPage } from '../../../src/archive/report/page.ts'
import { LivePage } from '../../../src/commands/live-page.ts'
import { startHttp } from '../../../src/observe/http.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { Browser } from '../../helpers/browser.ts'
import type { BrowserPage } from '../../helpers/browser.ts'
import { findChromium, withoutChromium } from '../../helpers/chromium.ts'
import { eventually } from '../../helpers/eventually.ts'
import { freePorts } from '../../helpers/ports.ts'
import { hostileText, mixed, samplePage, sampleRestore } from '../../helpers/sample-pages.ts'
import { root } from '../../runner/files.ts'

const chromium = findChromium()
const skip = chromium === undefined && withoutChromium

const axe = readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'maxbrod-report-'))
const everything = samplePage(
  { topics: 6, partitions: 4, segmentsOf: mixed, isKafkaAsked: true },
  { restore: sampleRestore, notes: ['@points/x.avro: it is damaged'] },
)
let browser: Browser

before(async () => {
  if (chromium !== undefined) browser = await Browser.start(chromium)
})

after(async () => {
  await browser?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

function fileOf(page: Page, name: string): string {
  const path = join(folder, `${name}.html`)
  writeFileSync(path, renderPage(page))
  return String(pathToFileURL(path))
}

/** It asked for itself and nothing else, and its browser has nothing to say of it. */
function assertSilent(page: BrowserPage, url: string): void {
  assert.deepEqual(page.requests, [url])
  assert.deepEqual(page.complaints, [])
}

for (const theme of ['light', 'dark'] as const) {
  test(
    `in ${theme}, every text has contrast, and axe finds nothing: not at a desk, not on a telephone`,
    { skip },
    async t => {
      const url = fileOf(everything, theme)
      const page = await browser.open({ theme })
      await page.go(url)
      assertSilent(page, url)
      const png = await page.screenshot()
      assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from('PNG')])
      const keep = process.env['REPORT_SCREENSHOTS']
      if (keep !== undefined) writeFileSync(join(keep, `report-${theme}.png`), png)
      for (const width of [1_200, 390]) {
        await page.size(width, 800)
        await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        const { texts, lowest, below } = await page.evaluate<Contrasts>(`(${contrasts})()`)
        t.diagnostic(`${theme}, ${width} pixels: ${texts} texts, lowest contrast ${lowest.toFixed(2)}`)
        assert.ok(texts > 200, `${texts} texts were measured`)
        assert.deepEqual(below, [])
        assert.equal(
          await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
          true,
          'nothing is cut off',
        )
        // But for colours, which were measured, themes do not differ.
        if (theme === 'dark' && width < 1_200) continue
        await page.evaluate(`${axe}; 0`)
        const found = await page.evaluate<AxeFound>("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
        assert.ok(found.passes.length > 10, 'axe has looked')
        assert.deepEqual(found.violations.map(named), [])
      }
    },
  )
}

interface Contrasts {
  readonly texts: number
  readonly lowest: number
  readonly below: readonly string[]
}

interface AxeFound {
  readonly passes: readonly unknown[]
  readonly violations: readonly AxeRule[]
}

interface AxeRule {
  readonly id: string
  readonly nodes: readonly { readonly html: string }[]
}

function named({ id, nodes }: AxeRule): string {
  return `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`
}

/** By the formula of WCAG 2, of every text that can be seen, against the first ground below it that is not transparent. */
const contrasts = `function () {
  const parse = color => color.match(/[\\d.]+/g).map(Number)
  const part = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
  const groundOf = element => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor)
      if (color[3] === undefined || color[3] === 1) return color
    }
    return [255, 255, 255]
  }
  const all = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode
    if (data.trim() === '' || !parentElement.checkVisibility()) continue
    const [a, b] = [parse(getComputedStyle(parentElement).color), groundOf(parentElement)].map(light)
    all.push({ data, contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) })
  }
  const lowest = Math.min(...all.map(one => one.contrast))
  const below = all.filter(one => one.contrast < 4.5).map(one => one.data + ' ' + one.contrast)
  return { texts: all.length, lowest, below }
}`

/** Whether an element can be seen to have the focus, and what it says if it is a fold or a link. */
const focused = `function (element) {
  const { left, width } = element.getBoundingClientRect()
  const isSeen = left >= 0 && width > 0 && getComputedStyle(element).outlineStyle === 'solid'
  const says = element.matches('summary') ? element.firstChild.data : element.matches('a') ? element.textContent : ''
  return { says: says.trim(), isSeen }
}`

test(
  'without JavaScript all is there, and the keyboard reaches and opens every fold in its order',
  { skip },
  async () => {
    const url = fileOf(everything, 'keyboard')
    const page = await browser.open({ hasScript: false })
    await page.go(url)
    assert.equal(await page.evaluate("document.querySelectorAll('details').length"), 6)
    const names = await page.evaluate<string[]>(
      "[...document.querySelectorAll('summary')].map(one => one.firstChild.data.trim())",
    )
    const reached: string[] = []
    // Tables can be wider than the screen, and are reached, too.
    for (let n = 0; n < 20 && reached.at(-1) !== names.at(-1); n++) {
      await page.press('Tab')
      const { says, isSeen } = await page.evaluate<{ says: string; isSeen: boolean }>(
        `(${focused})(document.activeElement)`,
      )
      assert.ok(isSeen, `${says} is seen to have the focus`)
      if (says !== '') reached.push(says)
    }
    assert.deepEqual(reached, ['Skip to the topics', ...names])
    const isOpen = () => page.evaluate<boolean>('document.activeElement.parentElement.open')
    assert.equal(await isOpen(), false, 'the last topic is sound, and closed')
    await page.press('Enter')
    assert.equal(await isOpen(), true)
    assertSilent(page, url)
  },
)

test(
  'who listens to the page hears headings, tables with their headers, strips and bars in words',
  { skip },
  async () => {
    const page = await browser.open()
    await page.go(fileOf(everything, 'heard'))
    const { nodes } = await page.send<{ nodes: readonly AxNode[] }>('Accessibility.getFullAXTree')
    const namesOf = (role: string) => nodes.filter(one => one.role?.value === role).map(one => one.name?.value ?? '')
    assert.deepEqual(namesOf('heading'), ['Backup in s3://backups/shop', 'Restore of maxbrod.plan', 'Topics'])
    assert.ok(namesOf('table').includes('Partitions of shop.orders.region-0'), String(namesOf('table')))
    assert.ok(
      ['0', '1', '2', '3'].every(name => namesOf('rowheader').includes(name)),
      'partitions are headers of their rows',
    )
    assert.ok(namesOf('columnheader').includes('offsets'))
    assert.ok(namesOf('image').includes('FOUND above 99%, LOST below 1%'), String(namesOf('image')))
    assert.ok(namesOf('progressbar').includes('all records: 70%'), String(namesOf('progressbar')))
  },
)

interface AxNode {
  readonly role?: { readonly value: string }
  readonly name?: { readonly value: string }
}

test(
  'names and reasons that hold markup stay text: nothing runs, nothing is loaded, nothing is hidden',
  { skip },
  async () => {
    const hostile = samplePage(
      {
        topics: 2,
        partitions: 2,
        nameOf: n => `${hostileText}${n}`,
        segmentsOf: () => [{ kind: 'LOST', from: 0, to: 9, reason: hostileText }],
      },
      {
        title: hostileText,
        notes: [hostileText],
        writer: hostileText,
        headline: hostileText,
        restore: {
          ...sampleRestore,
          title: hostileText,
          says: hostileText,
          notes: [hostileText],
          topics: [{ ...sampleRestore.topics[0]!, topic: hostileText, partitions: hostileText }],
        },
      },
    )
    const url = fileOf(hostile, 'hostile')
    const page = await browser.open()
    await page.go(url)
    assertSilent(page, url)
    assert.equal(
      await page.evaluate("document.querySelectorAll('script, img, iframe, base, link, form, object').length"),
      0,
    )
    assert.equal(await page.evaluate('document.title'), `FAILURE: ${hostileText.replaceAll('\u202e', '\\u{202e}')}`)
    const times = await page.evaluate<number>("document.body.innerText.split('alert(1)').length - 1")
    assert.ok(times > 10, `it stands there ${times} times`)
  },
)

test('3,000 partitions are laid out by a browser, with every fold open', { skip }, async t => {
  const started = performance.now()
  const page = samplePage({ topics: 100, partitions: 30, segmentsOf: mixed })
  const text = renderPage(page)
  t.diagnostic(`${text.length} bytes rendered in ${Math.round(performance.now() - started)} ms`)
  const path = join(folder, 'large.html')
  writeFileSync(path, text)
  const url = String(pathToFileURL(path))
  const tab = await browser.open()
  await tab.go(url)
  assertSilent(tab, url)
  const laidOut = await tab.evaluate<number>(
    "(start => { document.querySelectorAll('details').forEach(one => one.open = true); document.body.offsetHeight; return performance.now() - start })(performance.now())",
  )
  t.diagnostic(`all folds laid out in ${Math.round(laidOut)} ms`)
  assert.equal(await tab.evaluate("document.querySelectorAll('tbody tr').length"), 3_000)
})

test(
  'a page of a running command works under the policy that its server sends, and loads itself again if asked',
  { skip },
  async () => {
    const live = new LivePage(systemClock, { livePage: 'loopback' })
    const [port = 0] = await freePorts(1)
    const options = { port, flag: '--metrics-port', isNamed: true, bind: 'everywhere', logger: silentLogger } as const
    await using _server = await startHttp({ ...options, routes: live.routes })
    using _shown = live.connect(() => everything)
    const url = `http://127.0.0.1:${port}/`
    const page = await browser.open()
    await page.go(url)
    assertSilent(page, url)
    assert.equal(
      await page.evaluate("getComputedStyle(document.querySelector('.badge')).fontWeight"),
      '700',
      'it has its style',
    )
    const link = "document.querySelector('a[href*=refresh]')"
    assert.equal(await page.evaluate(`${link}.textContent`), 'every 10 seconds')
    await page.evaluate(`${link}.focus()`)
    await page.press('Enter')
    await eventually('the link is followed', async () => (await page.evaluate('location.search')) === '?refresh=10')
    assert.equal(await page.evaluate("document.querySelector('meta[http-equiv=refresh]').content"), '10')
    assert.deepEqual(page.complaints, [])
  },
)
