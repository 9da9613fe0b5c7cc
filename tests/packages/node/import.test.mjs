// The installed npm packages, by `import`.

import assert from 'node:assert'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { binary, start } from 'codecommit-local'

test('the names can be imported', async () => {
  const server = await start()
  assert.deepStrictEqual(await server.events(), [])
  await server.stop()
})

test('the command is the program', () => {
  const version = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' })
  assert.strictEqual(version('npx', '--no-install', 'codecommit-local', '--version'), version(binary(), '--version'))
})
