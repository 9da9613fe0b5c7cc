// The life of a pull request: pushed by Git, created, discussed, approved and merged; and one with conflicts.

import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { GetFileCommand, GetPullRequestCommand } from '@aws-sdk/client-codecommit'

import { Tab, demo, startBrowser } from './harness.mjs'

let browser, server
before(async () => {
  ;[browser, server] = await Promise.all([startBrowser(), demo()])
})
after(() => Promise.all([browser?.close(), server?.stop()]))

test('a pull request is pushed, created, discussed, approved and merged', async () => {
  const url = server.url.replace('http://', 'http://Li_Juan-at-111122223333:any@')
  await server.git('.', 'clone', '--quiet', `${url}/v1/repos/MyDemoRepo`, 'work')
  await server.git('work', 'switch', '--quiet', '--create', 'tests')
  await mkdir(join(server.folder, 'work/tests'), { recursive: true })
  await writeFile(join(server.folder, 'work/tests/greeting.py'), 'def test_greeting() -> None:\n    assert "Good" in "Good morning"\n')
  await server.git('work', 'add', '--all')
  await server.git('work', 'commit', '--quiet', '--message', 'Test the greeting')
  await server.git('work', 'push', '--quiet', 'origin', 'tests')

  const author = await Tab.signedIn(browser, server, {}, 'Li_Juan')
  let page = await author.goto('repositories/MyDemoRepo/branches')
  await page.getByRole('link', { name: 'Compare tests with the default branch' }).click()
  await page.getByRole('link', { name: 'Create pull request' }).click()
  await page.getByLabel('Title').fill('Test the greeting')
  await page.getByLabel(/^Description/).fill('In **Python**.')
  await page.getByRole('button', { name: 'Create pull request' }).click()
  await page.getByRole('heading', { level: 1, name: /Test the greeting/ }).waitFor()
  const id = /\/pull-requests\/(\d+)/.exec(page.url())[1]
  await page.getByText('approval pending').waitFor()
  await author.axe()

  const reviewer = await Tab.signedIn(browser, server, {}, 'Saanvi_Sarkar')
  page = await reviewer.goto(`repositories/MyDemoRepo/pull-requests/${id}/changes`)
  await page.locator('tr', { hasText: 'def test_greeting' }).hover()
  await page.locator('tr', { hasText: 'def test_greeting' }).locator('[data-comment]').click()
  await reviewer.axe()
  await page.keyboard.type('Why Python?')
  await page.locator('.commenting').getByRole('button', { name: 'Comment' }).click()
  const thread = page.locator('.thread', { hasText: 'Why Python?' })
  await thread.waitFor()
  await reviewer.ready()
  await thread.locator('summary', { hasText: 'Reply' }).click()
  await thread.getByLabel('Reply').fill('Never mind.')
  await thread.getByRole('button', { name: 'Reply' }).click()
  await page.locator('.thread', { hasText: 'Never mind.' }).waitFor()

  await page.getByRole('link', { name: /^Approvals/ }).first().click()
  await page.getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByRole('button', { name: 'Revoke approval' }).waitFor()
  await reviewer.close()

  page = await author.goto(`repositories/MyDemoRepo/pull-requests/${id}`)
  await page.getByText('approved', { exact: true }).first().waitFor()
  await page.getByRole('link', { name: 'Merge', exact: true }).first().click()
  await page.getByRole('link', { name: /squash/i }).click()
  await page.getByLabel('Commit message').fill('Test the greeting')
  await page.getByRole('button', { name: 'Merge pull request' }).click()
  await page.getByText(/Merged by a squash/i).waitFor()
  await author.close()

  const { pullRequest } = await server.send(new GetPullRequestCommand({ pullRequestId: id }))
  assert.equal(pullRequest.pullRequestTargets[0].mergeMetadata.mergeOption, 'SQUASH_MERGE')
  const names = (await server.events()).filter((event) => event.userIdentity.userName === 'Li_Juan').map((event) => event.eventName)
  for (const name of ['GitPush', 'CreatePullRequest', 'MergePullRequestBySquash']) assert.ok(names.includes(name), name)
})

test('conflicts are resolved by hunk', async () => {
  const tab = await Tab.signedIn(browser, server)
  const page = await tab.goto('repositories/MyDemoRepo/pull-requests')
  await page.getByRole('link', { name: /Greet in the evening/ }).click()
  await page.getByText('conflicts', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Approvals', exact: true }).first().click()
  await page.getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByRole('button', { name: 'Revoke approval' }).waitFor()
  await page.getByRole('link', { name: 'Merge', exact: true }).first().click()
  await page.getByRole('link', { name: /three-way/i }).click()
  await tab.ready()
  const hunks = page.locator('fieldset[data-choose]')
  assert.equal(await hunks.count(), 2)
  await tab.axe()
  await page.locator('[data-chosen]', { hasText: '0 of 2 conflicts chosen' }).waitFor()
  await hunks.nth(0).getByRole('radio', { name: /^Source/ }).check()
  await hunks.nth(1).getByRole('radio', { name: /own/ }).check()
  const own = hunks.nth(1).locator('textarea')
  assert.match(await own.inputValue(), /Good morning[^]*Good evening/, 'the own text begins with both sides')
  await own.fill('    println!("Good day, {}.", names::full(&name));\n')
  await page.locator('[data-chosen]', { hasText: '2 of 2 conflicts chosen' }).waitFor()
  await page.getByRole('button', { name: 'Merge pull request' }).click()
  await page.getByText(/Merged by a/).waitFor()
  await tab.close()

  const content = async (filePath) => {
    const { fileContent } = await server.send(new GetFileCommand({ repositoryName: 'MyDemoRepo', filePath }))
    return new TextDecoder().decode(fileContent)
  }
  assert.match(await content('README.md'), /Good evening, NAME/)
  assert.match(await content('src/main.rs'), /Good day/)
})
