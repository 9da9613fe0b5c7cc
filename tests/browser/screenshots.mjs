// Makes the pictures of the README from the example: node screenshots.mjs FOLDER.

import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { startTime } from './example.mjs'
import { Tab, demo, startBrowser } from './harness.mjs'

const bytesMax = 150 << 10
const day = 'start=2026-01-30T07:00:00Z&end=2026-01-30T15:00:00Z'
const pages = [
  ['repositories', 'light', 'repositories'],
  ['code', 'light', 'repositories/MyDemoRepo/code'],
  ['commits', 'dark', 'repositories/MyDemoRepo/commits'],
  ['pull-request', 'light', 'repositories/MyDemoRepo/pull-requests/2/changes'],
  ['events', 'dark', 'events?EventName=DeleteBranch'],
  ['timeline', 'light', `timeline?${day}`],
]

const folder = process.argv[2]
mkdirSync(folder, { recursive: true })
const [browser, server] = await Promise.all([startBrowser(), demo()])
for (const [name, colorScheme, path] of pages) {
  const tab = await Tab.signedIn(browser, server, { colorScheme, viewport: { width: 1280, height: 800 }, timezoneId: 'UTC' })
  await tab.page.clock.setFixedTime(startTime)
  await tab.goto(path)
  const file = join(folder, `${name}.png`)
  await tab.page.screenshot({ path: file })
  await tab.close()
  const { size } = statSync(file)
  if (size > bytesMax) throw new Error(`${file} has ${size} bytes, more than ${bytesMax}`)
}
await browser.close()
await server.stop()
