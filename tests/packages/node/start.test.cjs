'use strict'

// The installed npm packages, by `require`.

const assert = require('node:assert')
const { execFileSync, spawn } = require('node:child_process')
const { mkdtempSync, readdirSync, readFileSync } = require('node:fs')
const { once } = require('node:events')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, before, beforeEach, test } = require('node:test')
const { binary, start } = require('codecommit-local')

let server

before(async () => {
  server = await start()
})
beforeEach(() => server.reset())
after(() => server.stop())

/** Calls an operation as a user. */
async function call(operation, input, { user = 'Mary_Major', endpoint = server.endpoint } = {}) {
  const scope = `${user}/20260101/us-east-1/codecommit/aws4_request`
  return fetch(endpoint, {
    method: 'POST',
    headers: {
      'x-amz-target': `CodeCommit_20150413.${operation}`,
      'content-type': 'application/x-amz-json-1.1',
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(input),
  })
}

const names = (events) => events.map((event) => event.eventName)

/** Whether a process has ended; one that nobody has waited for has no command line. */
function ended(processId) {
  try {
    return readFileSync(`/proc/${processId}/cmdline`).length === 0
  } catch {
    return true
  }
}

/** Runs a program of Node; returns its exit code, and what it wrote to standard error. */
async function run(script, env) {
  const child = spawn(process.execPath, ['-e', script], { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (text) => (errors += text))
  const [code] = await once(child, 'close')
  return { code, errors }
}

test('calls are recorded with their callers', async () => {
  assert.strictEqual((await call('CreateRepository', { repositoryName: 'MyDemoRepo' }, { user: 'Li_Juan' })).status, 200)
  assert.strictEqual((await call('GetRepository', { repositoryName: 'Missing' })).status, 400)
  assert.deepStrictEqual(names(await server.events()), ['CreateRepository', 'GetRepository'])
  assert.deepStrictEqual(names(await server.events({ user: 'Li_*', repository: 'MyDemoRepo' })), ['CreateRepository'])
  assert.deepStrictEqual(names(await server.events({ error: '?*' })), ['GetRepository'])
  assert.deepStrictEqual(names(await server.events({ writes: true })), ['CreateRepository'])
  assert.strictEqual((await server.waitFor('Create*')).userIdentity.userName, 'Li_Juan')
  await assert.rejects(server.waitFor('GitPush', { timeout: 50 }), /no GitPush was recorded in 50 ms[^]*Li_Juan {2}CreateRepository/)
  assert.strictEqual(readFileSync(join(server.trail, 'events.ndjson'), 'utf8').trim().split('\n').length, 2)
})

test('git finds the caller in the URL and in the environment', async () => {
  await call('CreateRepository', { repositoryName: 'MyDemoRepo' })
  const folder = mkdtempSync(join(tmpdir(), 'clone-'))
  const clone = (url, name, env) =>
    execFileSync('git', ['clone', '--quiet', url, join(folder, name)], { env: { ...process.env, ...env }, stdio: 'pipe' })
  clone(server.cloneUrl('MyDemoRepo', { user: 'Li_Juan' }), 'a')
  clone(`${server.endpoint}/v1/repos/MyDemoRepo`, 'b', server.env({ user: 'Akua_Mansa' }))
  const users = (await server.events({ name: 'GitPull' })).map((event) => event.userIdentity.userName)
  assert.deepStrictEqual(users, ['Li_Juan', 'Akua_Mansa'])
})

test('a snapshot is restored', async () => {
  await call('CreateRepository', { repositoryName: 'Before' })
  await server.snapshot('prepared')
  await call('CreateRepository', { repositoryName: 'After' })
  await server.restore('prepared')
  assert.deepStrictEqual(names(await server.events()), ['CreateRepository'])
  await assert.rejects(server.restore('unknown'), /failed with status 404/)
})

test('failures are simulated', async () => {
  await server.fail([{ operation: 'CreateRepository', error: 'EncryptionKeyDisabledException' }])
  assert.strictEqual((await call('CreateRepository', { repositoryName: 'MyDemoRepo' })).status, 400)
  await server.fail([])
  assert.strictEqual((await call('CreateRepository', { repositoryName: 'MyDemoRepo' })).status, 200)
})

test('a start that fails shows the log', async () => {
  await assert.rejects(start({ identities: 'nothing.toml' }), /ended with status 1 before it was ready[^]*log:[^]*nothing\.toml/)
})

test('a disposed server has stopped', async () => {
  const other = await start({ region: 'eu-west-1' })
  assert.strictEqual(other.clientConfig().region, 'eu-west-1')
  await other[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]()
  assert.ok(ended(other.processId))
  await assert.rejects(other.events(), /is the server running\?/)
})

test('a platform without a package is an error with a remedy', async () => {
  const script = `
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    Object.defineProperty(process, 'arch', { value: 'arm64' })
    require('codecommit-local').binary()`
  const { code, errors } = await run(script, { PATH: '' })
  assert.strictEqual(code, 1)
  assert.match(errors, /there is no package for darwin-arm64, only for linux-x64: build it from source/)
})

test('a binary that is not there is an error with a remedy', async () => {
  const { errors } = await run("require('codecommit-local').binary()", { CODECOMMIT_LOCAL_BINARY: '/nowhere' })
  assert.match(errors, /CODECOMMIT_LOCAL_BINARY is '\/nowhere', which is no program/)
  const missing = `
    const Module = require('node:module')
    const resolve = Module._resolveFilename
    Module._resolveFilename = (name, ...rest) => resolve(name.replace('@codecommit-local', '@missing'), ...rest)
    require('codecommit-local').binary()`
  assert.match((await run(missing, { PATH: '' })).errors, /the package @codecommit-local\/linux-x64, which has it for linux-x64, is not installed/)
})

test('the binary is that of the package', () => {
  assert.strictEqual(binary(), require.resolve('@codecommit-local/linux-x64/codecommit-local'))
})

test('a process ends without stop, and its server with it', async () => {
  const { code, errors } = await run("require('codecommit-local').start().then((server) => console.error(server.processId))")
  assert.strictEqual(code, 0)
  while (!ended(Number(errors))) await new Promise((resolve) => setTimeout(resolve, 10))
})

test('nothing is left of a test process that is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-'))
  const script = "require('codecommit-local').start().then((server) => { console.log(server.processId); setInterval(() => {}, 1000) })"
  const env = { ...process.env, TMPDIR: folder }
  const parent = spawn(process.execPath, ['-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(parent.stdout, 'data')
  assert.strictEqual(readdirSync(folder).length, 1)
  parent.kill('SIGKILL')
  while (!ended(Number(line))) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepStrictEqual(readdirSync(folder), [])
})
