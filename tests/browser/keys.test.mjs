// Search, keys, filters, menus and copies.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Tab, demo, startBrowser } from './harness.mjs'

let browser, server
before(async () => {
  ;[browser, server] = await Promise.all([startBrowser(), demo()])
})
after(() => Promise.all([browser?.close(), server?.stop()]))

test('a list is filtered as one types, and the number of rows is announced', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('repositories')
  const rows = page.locator('#repositories tbody tr:visible')
  assert.equal(await rows.count(), 4)
  await page.locator('[data-filter="repositories"]').pressSequentially('course WEB')
  assert.equal(await rows.count(), 1)
  await page.getByRole('status').filter({ hasText: '1 of 4 rows' }).waitFor()
  await page.keyboard.press('Escape')
  assert.equal(await rows.count(), 4)
  await tab.close()
})

test('pages are opened by keys', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('repositories')
  await page.keyboard.press('/')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search')
  await page.keyboard.press('g')
  assert.equal(await page.locator('#search').inputValue(), 'g', 'keys are text in a field')
  await page.keyboard.press('Escape')

  await page.keyboard.press('j')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'MyDemoRepo')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/repositories/empty/code')
  await tab.ready()

  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await page.waitForURL('**/repositories')
  await tab.ready()
  await page.keyboard.press('g')
  await page.keyboard.press('e')
  await page.waitForURL('**/events**')
  await tab.close()
})

test('the keys are explained, and can be switched off', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('repositories')
  await page.keyboard.press('?')
  const dialog = page.getByRole('dialog', { name: 'Keys' })
  await dialog.waitFor()
  assert.match(await dialog.innerText(), /Repositories/)
  await tab.axe()
  await dialog.getByRole('checkbox').uncheck()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await page.keyboard.press('j')
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY')
  await tab.close()
})

test('menus close by Escape and by a click elsewhere', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('repositories')
  const menu = page.locator('header details.drop').last()
  const open = () => menu.evaluate((element) => element.open)
  await menu.locator('summary').click()
  assert.equal(await open(), true)
  await tab.axe()
  await page.keyboard.press('Escape')
  assert.equal(await open(), false)
  await menu.locator('summary').click()
  await page.locator('h1').click()
  assert.equal(await open(), false)
  await tab.close()
})

test('a clone URL is copied', async () => {
  const tab = await Tab.signedIn(browser, server)
  await tab.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const page = await tab.goto('repositories')
  await page.locator('tr', { hasText: 'MyDemoRepo' }).locator('[data-copy]').first().click()
  await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${server.url}/v1/repos/MyDemoRepo`)
  await tab.close()
})

test('times have the zone of the reader', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('repositories')
  const time = page.locator('main time').first()
  assert.match(await time.innerText(), /2026-01-\d\d \d\d:\d\d:\d\d UTC/)
  assert.match(await time.innerText(), /CET/)
  await tab.close()
})
