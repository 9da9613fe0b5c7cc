// Every page that links lead to: accessible in both schemes, and no wider than a telephone. Pages that differ only in names and numbers
// are one page.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Tab, demo, startBrowser } from './harness.mjs'

let browser, server
before(async () => {
  ;[browser, server] = await Promise.all([startBrowser(), demo()])
})
after(() => Promise.all([browser?.close(), server?.stop()]))

// Pages that are no pages: files, and forms that a link cannot send.
const isFile = (url) => /\/(raw|archive|assets)\b/.test(url.pathname) || /\b(format|as)=(csv|json)\b/.test(url.search) || /\.(csv|json)$/.test(url.pathname)

// Returns what a page is: its path without names and ids, and the names of its parameters.
function kind(url) {
  const path = url.pathname
    .replace(/^(.*?\/repositories\/)[^/]+/, '$1*')
    .replace(/(\/(?:events|trails|pull-requests|templates)\/)(?!compare|new)[^/]+/, '$1*')
  return `${path}?${[...new Set(url.searchParams.keys())].sort()}`
}

const starts = ['repositories', 'repositories/MyDemoRepo/code', 'repositories/MyDemoRepo/pull-requests', 'timeline', 'sign-in']

const visited = new Map()
// The paths whose page was checked in all schemes and widths; pages that differ in parameters share their template.
const checked = new Set()

test('every page is accessible in both schemes and fits a narrow window', { timeout: 900_000 }, async (context) => {
  const tab = await Tab.signedIn(browser, server, { viewport: { width: 1280, height: 800 } })
  const { page } = tab
  const waiting = starts.map((path) => new URL(path, `${server.url}/_console/`))
  const queued = new Set(waiting.map(kind))
  while (waiting.length > 0) {
    const url = waiting.shift()
    await context.test(kind(url), async () => {
      const response = await page.goto(url.href)
      assert.equal(response.status(), 200, url.href)
      await tab.ready()
      visited.set(kind(url), url.href)
      const links = await page.$$eval('a[href]', (elements) => elements.map((element) => new URL(element.getAttribute('href'), document.baseURI).href))
      for (const found of links.map((href) => new URL(href)).filter((found) => found.pathname.startsWith('/_console/'))) {
        if (isFile(found) || queued.has(kind(found))) continue
        queued.add(kind(found))
        waiting.push(found)
      }
      assert.equal(await page.locator('h1').count(), 1, 'a page has one heading of the first level')
      await page.emulateMedia({ colorScheme: 'light' })
      await tab.axe()
      const path = kind(url).split('?')[0]
      if (checked.has(path)) return tab.check()
      checked.add(path)
      await page.emulateMedia({ colorScheme: 'dark' })
      await tab.axe()
      await page.setViewportSize({ width: 360, height: 740 })
      await tab.fits()
      await tab.axe()
      await page.setViewportSize({ width: 1280, height: 800 })
      tab.check()
    })
    tab.problems.length = 0
  }
  assert.ok(visited.size >= 20, `only ${visited.size} pages were found`)
  await tab.close()
})

test('the chosen scheme is stronger than that of the system', async () => {
  const tab = await Tab.signedIn(browser, server, { colorScheme: 'light' })
  const page = await tab.goto('repositories')
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await background()
  await page.locator('header details.drop').first().locator('summary').click()
  await page.getByLabel('Colours').selectOption('Dark')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.locator('html[data-scheme="dark"]').waitFor()
  assert.notEqual(await background(), light)
  assert.match(page.url(), /\/repositories/)
  await tab.close()
})

test('pages work without scripts', async () => {
  const tab = await Tab.signedIn(browser, server, { javaScriptEnabled: false })
  const page = await tab.goto('repositories')
  await page.getByLabel('Name', { exact: true }).fill('without-scripts')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await page.waitForURL('**/repositories/without-scripts/code**')
  await tab.goto('repositories')
  assert.equal(await page.locator('[data-copy]:visible').count(), 0, 'buttons that need scripts are hidden')
  await page.getByLabel('Name contains').fill('without')
  await page.getByRole('button', { name: 'Search', exact: true }).click()
  assert.equal(await page.locator('#repositories tbody tr').count(), 1)
  await tab.close()
})
