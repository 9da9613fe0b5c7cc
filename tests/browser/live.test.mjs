// The live page during a real push.

import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { CreateRepositoryCommand, GetRepositoryCommand } from '@aws-sdk/client-codecommit'

import { Server, Tab, startBrowser } from './harness.mjs'

const script = `<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>`

let browser, server
before(async () => {
  ;[browser, server] = await Promise.all([startBrowser(), Server.start()])
  await server.send(new CreateRepositoryCommand({ repositoryName: 'MyDemoRepo' }))
})
after(() => Promise.all([browser?.close(), server?.stop()]))

async function push(content) {
  await mkdir(join(server.folder, 'work'), { recursive: true })
  await server.git('work', 'init', '--quiet', '--initial-branch=main')
  await writeFile(join(server.folder, 'work/file'), content)
  await server.git('work', 'add', '--all')
  await server.git('work', 'commit', '--quiet', '--message', content)
  const url = `${server.url}/v1/repos/MyDemoRepo`
  await server.git('work', '-c', `http.userAgent=git/2 ${script}`, 'push', '--quiet', url, 'main')
  return server.git('work', 'rev-parse', 'HEAD')
}

test('a push appears by itself, and its texts stay texts', { timeout: 120_000 }, async () => {
  const tab = await Tab.signedIn(browser, server, { viewport: { width: 1280, height: 800 } })
  const page = await tab.goto('live?name=GitPush,GetRepository')
  await page.getByText('Live', { exact: true }).and(page.locator('.badge.done')).waitFor()
  const commit = await push('one')
  // The event of the data follows that of the advertisement, perhaps in another batch.
  const row = page.locator('tr.kind-push', { hasText: commit.slice(0, 8) }).first()
  await row.waitFor()
  const text = await row.innerText()
  for (const part of ['Mary_Major', 'GitPush', 'Push', 'MyDemoRepo', `main ${commit.slice(0, 8)}`]) assert.ok(text.includes(part), text)
  await server.send(new GetRepositoryCommand({ repositoryName: script })).catch(() => {})
  const failed = page.locator('tr.kind-failed').first()
  await failed.waitFor()
  assert.match(await failed.innerText(), /Failed/)
  assert.equal(await page.locator('tbody tr').first().locator('td').nth(3).innerText(), 'Failed', 'the newest event is on top')
  assert.equal(await page.evaluate(() => window.hacked), undefined)
  assert.equal(await page.locator('tbody :is(img, script)').count(), 0)
  assert.match(await page.locator('[data-live="rate"]').innerText(), /^[1-9]\d* events? in the last 30 minutes/)
  await tab.axe()
  await page.setViewportSize({ width: 360, height: 740 })
  await tab.fits()
  tab.check()
  await tab.close()
})

test('a paused page keeps new events until it goes on', { timeout: 120_000 }, async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('live?name=GetRepository&repository=MyDemoRepo')
  await page.locator('.badge.done').waitFor()
  const before = await page.locator('tbody tr').count()
  await page.getByRole('button', { name: 'Pause' }).click()
  await server.send(new GetRepositoryCommand({ repositoryName: 'MyDemoRepo' }))
  await page.getByRole('button', { name: 'Resume (1 new)' }).waitFor()
  assert.equal(await page.locator('tbody tr').count(), before)
  await page.getByRole('button', { name: /Resume/ }).click()
  await page.locator('tbody tr').nth(before).waitFor()
  tab.check()
  await tab.close()
})

test('an event of a minute that the page has not reached is counted in it', { timeout: 120_000 }, async () => {
  const tab = await Tab.signedIn(browser, server)
  // A page that took minutes to arrive.
  await tab.page.route('**/live?*', async (route) => {
    const response = await route.fetch()
    const body = (await response.text()).replace(/data-until="([^"]+)"/, (_, time) => `data-until="${new Date(Date.parse(time) - 300_000).toISOString()}"`)
    await route.fulfill({ response, body })
  })
  const page = await tab.goto('live?name=GetRepository&repository=MyDemoRepo')
  await page.locator('.badge.done').waitFor()
  await server.send(new GetRepositoryCommand({ repositoryName: 'MyDemoRepo' }))
  const rate = page.locator('[data-live="rate"]', { hasText: /^[1-9]\d* events? in the last 30 minutes, [1-9]\d* in this one/ })
  await rate.waitFor({ timeout: 10_000 })
  await tab.close()
})

test('watching leaves no record', { timeout: 120_000 }, async () => {
  const tab = await Tab.signedIn(browser, server)
  const count = (await server.events()).length
  const page = await tab.goto('live')
  await page.locator('.badge.done').waitFor()
  await page.locator('tbody tr').first().waitFor()
  assert.equal((await server.events()).length, count)
  tab.check()
  await tab.close()
})
