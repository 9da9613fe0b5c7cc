'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { binary } = require('./binary.js')
const { variables } = require('./environment.js')
const { Process } = require('./process.js')
const { lines, select } = require('./records.js')

const ACCOUNT = '111122223333'
const REGION = 'us-east-1'
const USER = 'Mary_Major'
// The password and secret of every user while access is open: nothing verifies them.
const SECRET = 'any'
// The access key of the administrator of a server that verifies signatures.
const ADMINISTRATOR = { key: 'AKIAEXAMPLEROOT00001', secret: 'codecommit-local/administrator/of/tests' }

// Time between two looks at the trail, in milliseconds.
const POLL = 20

/** Returns the command line of a server; flags given by the caller override the others. */
function commandLine({ seed, identities, clock, idSeed, access, account, region, flags }) {
  const options = new Map([
    ['--listen', '127.0.0.1:0'],
    ['--ephemeral', true],
    ['--allow-reset', true],
    ['--exit-with-parent', true],
    ['--account', account],
    ['--region', region],
    // A user name in a URL names the caller only if the server asks for it.
    ['--git-auth', 'ask'],
  ])
  if (isVerifying(access)) {
    options.set('--root-access-key', ADMINISTRATOR.key).set('--root-secret-key', ADMINISTRATOR.secret)
  }
  for (const [flag, value] of Object.entries({ seed, identities, clock, 'id-seed': idSeed, access })) {
    if (value !== undefined) options.set(`--${flag}`, String(value))
  }
  const given = new Set(flags.map((flag) => flag.split('=')[0]))
  if (given.has('--data-dir')) options.delete('--ephemeral')
  const chosen = [...options].filter(([flag]) => !given.has(flag))
  return [...chosen.flatMap(([flag, value]) => (value === true ? [flag] : [flag, value])), ...flags]
}

const isVerifying = (access) => access !== undefined && access !== 'open'

/** Starts a server on a free port of this machine, and waits until it is ready. */
async function start(options = {}) {
  const { account = ACCOUNT, region = REGION, flags = [], startTimeout = 30_000, stopTimeout = 10_000 } = options
  const child = new Process(binary(), commandLine({ ...options, account, region, flags }))
  const endpoint = await child.ready(startTimeout)
  const server = new Server({ endpoint, child, account, region, stopTimeout, isVerifying: isVerifying(options.access) })
  await server.loadFolders()
  return server
}

/** A running server. */
class Server {
  #child
  #stopTimeout
  #isVerifying
  #trail

  constructor({ endpoint, child, account, region, stopTimeout, isVerifying }) {
    this.endpoint = endpoint
    this.account = account
    this.region = region
    this.#child = child
    this.#stopTimeout = stopTimeout
    this.#isVerifying = isVerifying
  }

  get trail() {
    return this.#trail
  }

  get processId() {
    return this.#child.id
  }

  get log() {
    return this.#child.log
  }

  async loadFolders() {
    const reply = await this.#request('GET', '/_local/folders')
    this.#trail = (await reply.json()).trail
  }

  async events(filters) {
    const records = []
    for (let after = ''; ; ) {
      const reply = await this.#request('GET', `/_local/events?after=${encodeURIComponent(after)}`)
      const page = (await reply.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line))
      if (page.length === 0) return select(records, filters)
      records.push(...page)
      after = reply.headers.get('codecommit-local-last-event')
    }
  }

  async waitFor(name, { timeout = 10_000, ...filters } = {}) {
    const deadline = performance.now() + timeout
    for (;;) {
      const [found] = await this.events({ ...filters, name })
      if (found) return found
      if (performance.now() >= deadline) {
        throw new Error(`no ${name} was recorded in ${timeout} ms; there are:\n${lines((await this.events()).slice(-50))}`)
      }
      await sleep(POLL)
    }
  }

  async reset() {
    await this.#request('POST', '/_local/reset')
  }

  async snapshot(name) {
    await this.#request('POST', `/_local/snapshots/${encodeURIComponent(name)}`)
  }

  async restore(name) {
    await this.#request('POST', `/_local/snapshots/${encodeURIComponent(name)}/restore`)
  }

  async fail(failures) {
    await this.#request('PUT', '/_local/failures', failures)
  }

  clientConfig({ user, secret = SECRET } = {}) {
    const key = this.#key(user, secret)
    return {
      endpoint: this.endpoint,
      region: this.region,
      credentials: { accessKeyId: key.key, secretAccessKey: key.secret },
    }
  }

  env({ user, secret = SECRET } = {}) {
    const gitUser = this.#isVerifying ? undefined : { name: this.#gitName(user ?? USER), password: SECRET }
    return variables({ endpoint: this.endpoint, region: this.region, ...this.#key(user, secret), gitUser })
  }

  cloneUrl(name, { user, password = SECRET } = {}) {
    const path = `/v1/repos/${encodeURIComponent(name)}`
    if (user === undefined && this.#isVerifying) return this.endpoint + path
    const credentials = [this.#gitName(user ?? USER), password].map(encodeURIComponent).join(':')
    return this.endpoint.replace('://', `://${credentials}@`) + path
  }

  async stop() {
    await this.#child.stop(this.#stopTimeout)
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.stop()
  }

  #key(user, secret) {
    return user === undefined && this.#isVerifying ? ADMINISTRATOR : { key: user ?? USER, secret }
  }

  #gitName(user) {
    return user.includes('-at-') ? user : `${user}-at-${this.account}`
  }

  async #request(method, path, body) {
    const url = this.endpoint + path
    const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    let reply
    try {
      reply = await fetch(url, { method, ...json })
    } catch (error) {
      throw new Error(`${method} ${url} failed: ${error.cause?.message ?? error.message}; is the server running?`, { cause: error })
    }
    if (reply.ok) return reply
    const text = await reply.text()
    throw new Error(`${method} ${url} failed with status ${reply.status}: ${message(text)}`)
  }
}

/** Returns the message of an error's body. */
function message(text) {
  try {
    return JSON.parse(text).message ?? text
  } catch {
    return text.trim() || 'the reply has no message'
  }
}

module.exports = { Server, start }
