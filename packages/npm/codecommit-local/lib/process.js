'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')

// Characters of the log that are kept.
const LOG_MAX = 20_000

/** A running server as a child process. It ends with this process, however that ends. */
class Process {
  #child
  #log = ''
  #ended

  constructor(program, args) {
    // The server stops when the other end of its standard input is closed.
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stdin.on('error', () => {})
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#log = (this.#log + text).slice(-LOG_MAX)
    })
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(`cannot be started: ${error.message}`))
      this.#child.on('close', (code, signal) => resolve(`ended with ${signal ?? `status ${code}`} before it was ready`))
    })
    this.command = [program, ...args].join(' ')
  }

  get id() {
    return this.#child.pid
  }

  /** The end of what the server wrote to its log. */
  get log() {
    return this.#log
  }

  /** Waits for the line `ready URL`; returns the URL. */
  async ready(timeout) {
    const { stdout } = this.#child
    let timer
    let printed = ''
    const line = new Promise((resolve) => {
      stdout.setEncoding('utf8').on('data', (text) => {
        printed += text
        if (printed.includes('\n')) resolve(undefined)
      })
    })
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, timeout, `was not ready after ${timeout} ms`)
    })
    const failure = await Promise.race([line, late, this.#ended])
    clearTimeout(timer)
    const [word, url] = printed.split('\n')[0].split(' ')
    if (failure === undefined && word === 'ready') {
      this.#unref()
      return url
    }
    await this.stop(0)
    const reason = failure ?? `printed '${word}' in place of its ready line; is it codecommit-local?`
    throw new Error(`the server ${reason}\ncommand: ${this.command}\nlog:\n${this.#log.trim() || '(empty)'}`)
  }

  /** Ends the process: SIGTERM, and SIGKILL after a time in milliseconds. */
  async stop(timeout) {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.ref()
    const exit = once(this.#child, 'exit')
    let timer
    if (timeout > 0) {
      this.#child.kill('SIGTERM')
      timer = setTimeout(() => this.#child.kill('SIGKILL'), timeout)
    } else {
      this.#child.kill('SIGKILL')
    }
    await exit
    clearTimeout(timer)
  }

  /** Lets this process end while the server runs, which then ends too. */
  #unref() {
    this.#child.unref()
    for (const stream of this.#child.stdio) stream.unref()
  }
}

module.exports = { Process }
