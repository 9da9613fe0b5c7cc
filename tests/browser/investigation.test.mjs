// Who deleted the branch? From the event history to the event, its user, and what else the user did; and the plots.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'

import { Tab, demo, startBrowser } from './harness.mjs'

let browser, server
before(async () => {
  ;[browser, server] = await Promise.all([startBrowser(), demo()])
})
after(() => Promise.all([browser?.close(), server?.stop()]))

test('the person who deleted a branch is found', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('events')
  await page.getByLabel('Event name').first().fill('DeleteBranch')
  await page.getByRole('button', { name: 'Search', exact: true }).click()
  await tab.ready()
  const rows = page.locator('#events tbody tr')
  assert.equal(await rows.count(), 2)
  assert.match(await rows.nth(0).innerText(), /Saanvi_Sarkar/)
  assert.match(await rows.nth(1).innerText(), /AccessDenied/)
  assert.match(await rows.nth(1).getAttribute('class'), /kind-failed/)
  await tab.axe()

  // Both events beside each other
  for (const box of await page.getByRole('checkbox', { name: /^Compare/ }).all()) await box.check()
  await page.getByRole('button', { name: 'Compare the selected events' }).click()
  await page.getByRole('heading', { name: 'Compare events' }).waitFor()
  assert.ok((await page.locator('tr.differs').count()) > 3)
  await page.goBack()

  await rows.nth(0).getByRole('link', { name: 'DeleteBranch', exact: true }).click()
  await page.waitForURL(/events\/[0-9a-f-]{36}/)
  await tab.ready()
  assert.match(await page.locator('main').innerText(), /release-2/)
  await page.getByRole('button', { name: 'Collapse all' }).click()
  assert.equal(await page.locator('.json details details[open]').count(), 0)
  await page.getByRole('button', { name: 'Expand all' }).click()
  await tab.axe()

  await page.getByRole('link', { name: 'Saanvi_Sarkar' }).first().click()
  await tab.ready()
  assert.match(page.url(), /Username=Saanvi_Sarkar/)
  const users = await page.locator('#events tbody tr').allInnerTexts()
  assert.ok(users.length > 5 && users.every((text) => text.includes('Saanvi_Sarkar')), users.join('\n'))

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV', exact: true }).click()])
  const csv = await readFile(await download.path(), 'utf8')
  assert.match(csv, /DeleteBranch/)
  await tab.close()
})

test('a range of the timeline is chosen with the mouse and with the keyboard', async () => {
  const tab = await Tab.signedIn(browser, server, { viewport: { width: 1280, height: 800 } })
  const page = await tab.goto('timeline?start=2026-01-30T07:00:00Z&end=2026-01-30T15:00:00Z')
  const plot = page.locator('svg.plot[data-href]')
  await plot.scrollIntoViewIfNeeded()
  const box = await plot.boundingBox()
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 5 })
  await page.mouse.up()
  await page.waitForURL(/\/events\?/)
  const times = () => ['start', 'end'].map((name) => Date.parse(new URL(page.url()).searchParams.get(name)))
  const [start, end] = times()
  assert.ok(start < end && end - start < 3 * 3600_000, page.url())
  await tab.ready()

  await tab.goto('timeline?start=2026-01-30T07:00:00Z&end=2026-01-30T15:00:00Z')
  await plot.focus()
  for (const key of ['ArrowRight', 'ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowRight']) await page.keyboard.press(key)
  await page.getByRole('status').filter({ hasText: / to / }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/events\?/)
  const [from, to] = times()
  assert.ok(from < to, page.url())
  await tab.close()
})

test('lines of a file are selected by their numbers', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('repositories/MyDemoRepo/code')
  await page.getByRole('link', { name: 'src/', exact: true }).click()
  await page.getByRole('link', { name: 'main.rs', exact: true }).click()
  await page.locator('table.code').waitFor()
  await tab.ready()
  assert.ok((await page.locator('.t-keyword').count()) > 2)
  await page.getByRole('link', { name: '3', exact: true }).click()
  assert.match(page.url(), /#L3$/)
  await page.getByRole('link', { name: '6', exact: true }).click({ modifiers: ['Shift'] })
  assert.match(page.url(), /#L3-L6$/)
  assert.equal(await page.locator('tr.selected').count(), 4)
  await page.reload()
  await page.locator('#L6.selected').waitFor()
  await tab.axe()
  await tab.close()
})
