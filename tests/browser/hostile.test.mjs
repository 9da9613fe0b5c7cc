// Names and contents that try to become code, markup or layout.

import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { CreatePullRequestCommand, CreateRepositoryCommand, PostCommentForPullRequestCommand } from '@aws-sdk/client-codecommit'

import { Server, Tab, startBrowser } from './harness.mjs'

const script = `<script>window.hacked=1</script><img src=x onerror="window.hacked=2">`
const direction = '\u202Eevil\u202C'
const long = 'x'.repeat(200)
// Git forbids spaces and some characters in names of branches.
const branch = `fix/<script>window.hacked=3</script>"'&-${direction}-${'b'.repeat(120)}`
const file = `a"'<script>window.hacked=4<&>${direction}.html`

let browser, server
before(async () => {
  ;[browser, server] = await Promise.all([startBrowser(), Server.start()])
})
after(() => Promise.all([browser?.close(), server?.stop()]))

test('hostile names and contents are shown as text, and nothing of them runs', { timeout: 300_000 }, async () => {
  await server.send(new CreateRepositoryCommand({ repositoryName: 'hostile', repositoryDescription: `${script} ${long}` }))
  const commit = async (message, content) => {
    await mkdir(join(server.folder, 'work', long), { recursive: true })
    await writeFile(join(server.folder, 'work', file), content)
    await writeFile(join(server.folder, 'work', long, long), content)
    await writeFile(join(server.folder, 'work/README.md'), `# ${script}\n\n[link](javascript:window.hacked=5) ${content}\n\n<svg onload="window.hacked=6">\n`)
    await server.git('work', 'add', '--all')
    await server.git('work', 'commit', '--quiet', '--message', message)
  }
  await server.git('.', 'init', '--quiet', '--initial-branch=main', 'work')
  await commit(script, `${script}\n`)
  await server.git('work', 'switch', '--quiet', '--create', branch)
  await commit(`${script} ${direction} ${'m'.repeat(10_000)}`, `${script} ${direction} ${long.repeat(20)}\n`)
  await server.git('work', '-c', `http.userAgent=git/2 ${script}`, 'push', '--quiet', `${server.url}/v1/repos/hostile`, 'main', branch)
  const { pullRequest } = await server.send(
    new CreatePullRequestCommand({
      title: script.slice(0, 150),
      description: `${script} ${direction}`,
      targets: [{ repositoryName: 'hostile', sourceReference: branch, destinationReference: 'main' }],
    }),
    'Li_Juan',
  )
  const [target] = pullRequest.pullRequestTargets
  await server.send(
    new PostCommentForPullRequestCommand({
      pullRequestId: pullRequest.pullRequestId,
      repositoryName: 'hostile',
      beforeCommitId: target.destinationCommit,
      afterCommitId: target.sourceCommit,
      content: `${script} ${long.repeat(10)}`,
    }),
    'Li_Juan',
  )

  const tab = await Tab.signedIn(browser, server, { viewport: { width: 360, height: 740 } })
  const { page } = tab
  page.on('dialog', () => tab.problems.push('a dialog'))
  const query = new URLSearchParams({ ref: `refs/heads/${branch}` })
  const paths = [
    'repositories',
    'repositories/hostile/code',
    `repositories/hostile/code?${query}`,
    `repositories/hostile/code?${new URLSearchParams({ ref: `refs/heads/${branch}`, path: file })}`,
    'repositories/hostile/commits',
    `repositories/hostile/commits?${query}`,
    `repositories/hostile/commit?id=${target.sourceCommit}`,
    'repositories/hostile/branches',
    `repositories/hostile/compare?${new URLSearchParams({ before: 'main', after: branch })}`,
    'repositories/hostile/pull-requests',
    `repositories/hostile/pull-requests/${pullRequest.pullRequestId}`,
    `repositories/hostile/pull-requests/${pullRequest.pullRequestId}/activity`,
    `repositories/hostile/pull-requests/${pullRequest.pullRequestId}/changes`,
    `repositories/hostile/pull-requests/${pullRequest.pullRequestId}/commits`,
    `repositories/hostile/pull-requests/${pullRequest.pullRequestId}/merge`,
    'events?access=all',
    `events?${new URLSearchParams({ ResourceName: script })}`,
    'pushes',
    'people',
    'timeline',
  ]
  for (const path of paths) {
    await tab.goto(path)
    assert.equal(await page.evaluate(() => window.hacked), undefined, path)
    assert.equal(await page.locator('main script, main [onerror], main [onload], main a[href^="javascript:"]').count(), 0, path)
    await tab.fits()
    await tab.axe()
    tab.check()
  }
  await tab.close()
})
