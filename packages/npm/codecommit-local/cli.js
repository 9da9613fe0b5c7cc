#!/usr/bin/env node
'use strict'

// The program, with the arguments and streams of this process.

const { spawn } = require('node:child_process')
const { constants } = require('node:os')
const { binary } = require('./lib/binary.js')

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP']

let program
try {
  program = binary()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' })
// The terminal sends SIGINT to both; a second one changes nothing.
for (const signal of SIGNALS) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`cannot start ${program}: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
