// A server, its clients, and Chromium for tests of the console.
//
// A page fails its test on any message of the browser's console, any violation of the policy, any failed request, and any request to
// another host than the server. `PAGES=show` in the environment shows the browser.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { CodeCommitClient } from '@aws-sdk/client-codecommit'
import { chromium } from 'playwright-core'

import { settings, writeSeed } from './example.mjs'

const require = createRequire(import.meta.url)
const here = fileURLToPath(new URL('.', import.meta.url))
const program = process.env.CODECOMMIT_LOCAL_BINARY ?? join(here, '../../target/debug/codecommit-local')
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const run = promisify(execFile)

// Chromium without anything that contacts hosts by itself.
const browserArguments = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-features=OptimizationHints,MediaRouter,Translate',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-pings',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** A server in a folder of its own, which ends with this process. */
export class Server {
  /** Starts the program; `settings` are further arguments. */
  static async start(settings = [], inFolder = undefined) {
    const folder = inFolder ?? (await temporaryFolder())
    const child = spawn(program, ['--ephemeral', '--listen', '127.0.0.1:0', '--quiet', '--exit-with-parent', ...settings], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, HOME: folder },
    })
    const server = new Server()
    server.folder = folder
    server.child = child
    server.ended = new Promise((resolve) => child.once('exit', resolve))
    server.url = await new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`cannot start ${program}: ${error.message}; build it with cargo build --workspace`)))
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code} before it was ready`)))
      createInterface(child.stdout).on('line', (line) => {
        if (line.startsWith('ready ')) resolve(line.slice('ready '.length).trim())
      })
    })
    return server
  }

  async stop() {
    this.child.stdin.end()
    await this.ended
    await rm(this.folder, { recursive: true, force: true })
  }

  /** Returns the SDK's client of a user, or of the default user. */
  client(user) {
    const credentials = { accessKeyId: user ?? 'Mary_Major', secretAccessKey: 'any' }
    return new CodeCommitClient({ endpoint: this.url, region: 'us-east-1', credentials, maxAttempts: 1 })
  }

  /** Sends a command of the SDK as a user. */
  send(command, user) {
    return this.client(user).send(command)
  }

  /** Runs git in a folder below the server's, and returns its output. */
  async git(folder, ...parameters) {
    const person = { NAME: 'Mary Major', EMAIL: 'mary_major@example.com', DATE: '1767258000 +0000' }
    const env = { PATH: process.env.PATH, HOME: this.folder, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
    for (const [name, value] of Object.entries(person)) {
      env[`GIT_AUTHOR_${name}`] = value
      env[`GIT_COMMITTER_${name}`] = value
    }
    const { stdout } = await run('git', parameters, { cwd: join(this.folder, folder), env })
    return stdout.trim()
  }

  /** Returns the recorded events, oldest first. */
  async events() {
    const response = await fetch(`${this.url}/_local/events`)
    const lines = (await response.text()).split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line))
  }
}

/** Starts a server with the example. */
export async function demo() {
  const folder = await temporaryFolder()
  writeSeed(join(folder, 'seed'))
  return Server.start(settings(join(folder, 'seed')), folder)
}

function temporaryFolder() {
  return mkdtemp(join(tmpdir(), 'console-'))
}

/** Starts Chromium. */
export function startBrowser() {
  return chromium.launch({ executablePath, args: browserArguments, headless: process.env.PAGES !== 'show' }).catch((error) => {
    throw new Error(`cannot start ${executablePath}: ${error.message}; install it with scripts/need chromium`)
  })
}

/** A tab of the browser with cookies of its own. */
export class Tab {
  /** Opens a tab. Options are those of a context of playwright, such as `colorScheme` and `viewport`. */
  static async open(browser, server, options = {}) {
    const tab = new Tab()
    tab.server = server
    tab.problems = []
    tab.expected = []
    tab.hasScripts = options.javaScriptEnabled ?? true
    tab.context = await browser.newContext({ baseURL: `${server.url}/_console/`, timezoneId: 'Europe/Berlin', locale: 'en-GB', ...options })
    tab.context.setDefaultTimeout(60_000)
    tab.page = await tab.context.newPage()
    tab.watch()
    return tab
  }

  /** Opens a tab and signs in. */
  static async signedIn(browser, server, options = {}, user = 'Mary_Major') {
    const tab = await Tab.open(browser, server, options)
    await tab.signIn(user)
    return tab
  }

  watch() {
    const { page, problems } = this
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(`${message.type()} at ${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => problems.push(`exception at ${page.url()}: ${error.stack ?? error.message}`))
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== this.server.url) problems.push(`request to ${url}`)
    })
    page.on('requestfailed', (request) => {
      // Downloads, and requests that a page leaves behind when it is left, end so.
      if (request.failure()?.errorText !== 'net::ERR_ABORTED') problems.push(`${request.url()}: ${request.failure()?.errorText}`)
    })
    page.on('response', (response) => {
      if (response.status() >= 500 && !this.expected.includes(response.status())) problems.push(`${response.url()}: ${response.status()}`)
    })
  }

  /** Opens a page of the console by its path below `/_console/`; it must be there. */
  async goto(path) {
    const response = await this.page.goto(path)
    assert.equal(response.status(), 200, path)
    await this.ready()
    return this.page
  }

  /** Waits until the scripts of the page have started. */
  async ready() {
    await this.page.waitForLoadState('load')
    if (this.hasScripts) await this.page.waitForFunction(() => document.documentElement.dataset.scripts === 'ready')
  }

  /** Signs in as a user who is offered, or by a name. */
  async signIn(user) {
    await this.page.goto('sign-in')
    const offered = this.page.getByRole('button', { name: user, exact: true })
    if (await offered.count()) await offered.first().click()
    else {
      await this.page.getByLabel(/name/i).first().fill(user)
      await this.page.getByRole('button', { name: /sign in/i }).first().click()
    }
    await this.ready()
  }

  /** Fails the test if the page has had a problem since the last check. */
  check() {
    assert.deepEqual(this.problems.splice(0), [])
  }

  /** Fails the test if the page is not accessible by the rules of axe-core. */
  async axe() {
    axeSource ??= await readFile(require.resolve('axe-core/axe.min.js'), 'utf8')
    const session = await this.context.newCDPSession(this.page)
    const evaluate = async (expression) => {
      const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
      assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description)
      return result.value
    }
    await evaluate(axeSource)
    // Colours are compared at rest: a row that arrives in one scheme fades in its colours if the other is set meanwhile.
    await evaluate('Promise.allSettled(document.getAnimations().map((animation) => animation.finished)).then(() => true)')
    const found = await evaluate(`axe.run(document, { resultTypes: ['violations'] }).then((results) => results.violations.flatMap((rule) =>
      rule.nodes.map((node) => rule.id + ': ' + node.html.slice(0, 200) + ' ' + (node.failureSummary ?? '').replace(/\\s+/g, ' '))))`)
    await session.detach()
    assert.deepEqual(found, [], this.page.url())
  }

  /** Fails the test if the page is wider than the window. */
  async fits() {
    const [width, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
    assert.ok(width <= window, `${this.page.url()} is ${width} pixels wide, the window ${window}`)
  }

  async close() {
    this.check()
    await this.context.close()
  }
}

let axeSource
