// The live page: <table data-module="live" data-feed="URL"> gets the events of a feed of server-sent events, the newest on top.
//
// All texts of events come from clients, so they become text nodes and attributes of elements that this module creates, never HTML.

import { announce } from './announce.js'
import { localize } from './times.js'

const rowsMax = 500
const drawMilliseconds = 100
const announceMilliseconds = 5_000
const lostMilliseconds = 2_000
const minuteMilliseconds = 60_000
const legendMax = 10

export function start(table) {
  new Live(table)
}

class Live {
  constructor(table) {
    this.table = table
    this.body = table.tBodies[0]
    this.state = part('state')
    this.pause = part('pause')
    this.legend = part('users')
    this.minutes = new Minutes(part('minutes'))
    this.waiting = []
    this.unannounced = 0
    this.isPaused = false
    this.pause.addEventListener('click', () => this.toggle())
    this.connect()
    setInterval(() => this.minutes.draw(), announceMilliseconds)
    setInterval(() => this.announce(), announceMilliseconds)
  }

  connect() {
    const source = new EventSource(this.table.dataset.feed)
    source.addEventListener('open', () => {
      clearTimeout(this.lost)
      this.show('Live', 'done')
    })
    source.addEventListener('error', () => {
      clearTimeout(this.lost)
      if (source.readyState === EventSource.CLOSED) {
        this.show('Ended: load the page again', 'failed')
      } else {
        // The server ends each stream after a minute, to check the sign-in again; the browser continues at once.
        this.lost = setTimeout(() => this.show('Connecting', 'pending'), lostMilliseconds)
      }
    })
    source.addEventListener('message', (message) => this.receive(JSON.parse(message.data)))
  }

  show(text, kind) {
    this.state.textContent = text
    this.state.className = `badge ${kind}`
  }

  receive(record) {
    this.minutes.count(record)
    this.waiting.push(record)
    if (this.waiting.length > rowsMax) this.waiting.shift()
    this.timer ??= setTimeout(() => this.draw(), drawMilliseconds)
  }

  draw() {
    this.timer = undefined
    this.minutes.draw()
    this.label()
    if (this.isPaused || this.waiting.length === 0) return
    const rows = document.createDocumentFragment()
    for (const record of this.waiting.toReversed()) rows.append(row(record, this.table.dataset))
    localize(rows)
    this.unannounced += this.waiting.length
    this.last = this.waiting.at(-1)
    this.waiting = []
    this.body.prepend(rows)
    while (this.body.rows.length > rowsMax) this.body.lastElementChild.remove()
    this.drawLegend()
  }

  toggle() {
    this.isPaused = !this.isPaused
    this.pause.setAttribute('aria-pressed', String(this.isPaused))
    this.draw()
  }

  label() {
    const count = this.waiting.length === rowsMax ? `${rowsMax} or more` : this.waiting.length
    this.pause.textContent = this.isPaused ? `Resume (${count} new)` : 'Pause'
  }

  announce() {
    if (this.unannounced === 0 || this.isPaused) return
    const count = this.unannounced === 1 ? '1 new event' : `${this.unannounced} new events`
    announce(`${count}, the last: ${this.last.eventName} by ${userOf(this.last)}`)
    this.unannounced = 0
  }

  drawLegend() {
    const counts = new Map()
    for (const { dataset } of this.body.rows) counts.set(dataset.user, (counts.get(dataset.user) ?? 0) + 1)
    const users = [...counts].sort(([, one], [, other]) => other - one)
    const entries = users.slice(0, legendMax).map(([user, count]) => element('li', {}, dot(user), `${user} ${count}`))
    if (users.length > legendMax) entries.push(element('li', {}, `and ${users.length - legendMax} more`))
    this.legend.replaceChildren(...entries)
  }
}

// Bars with the number of events of each minute, the last on the right.
class Minutes {
  constructor(plot) {
    this.plot = plot
    this.bars = [...plot.querySelectorAll('rect')]
    this.height = plot.viewBox.baseVal.height
    this.until = Date.parse(plot.dataset.until)
    this.begin = performance.now()
    this.latest = 0
    this.counts = new Map()
    this.draw()
  }

  // Returns the minute of the server's clock. The page knows that clock as it was before the page arrived, so an event can be ahead.
  now() {
    return Math.max(this.latest, Math.floor((this.until + performance.now() - this.begin) / minuteMilliseconds))
  }

  count(record) {
    const minute = Math.floor(Date.parse(record.eventTime) / minuteMilliseconds)
    this.latest = Math.max(this.latest, minute)
    this.counts.set(minute, (this.counts.get(minute) ?? 0) + 1)
  }

  draw() {
    const first = this.now() - this.bars.length + 1
    for (const minute of this.counts.keys()) if (minute < first) this.counts.delete(minute)
    const counts = this.bars.map((_, index) => this.counts.get(first + index) ?? 0)
    const largest = Math.max(1, ...counts)
    this.bars.forEach((bar, index) => {
      const height = (counts[index] / largest) * this.height
      bar.setAttribute('y', this.height - height)
      bar.setAttribute('height', height)
    })
    const sum = counts.reduce((one, other) => one + other, 0)
    const text = `${sum} ${sum === 1 ? 'event' : 'events'} in the last ${counts.length} minutes, ${counts.at(-1)} in this one, at most ${largest} in one`
    this.plot.setAttribute('aria-label', text)
    part('rate').textContent = text
  }
}

function part(name) {
  return document.querySelector(`[data-live="${name}"]`)
}

// Creates an element of attributes and children; texts among them become text nodes.
function element(name, attributes, ...children) {
  const created = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, value)
  created.append(...children)
  return created
}

function row(record, urls) {
  const [kind, label] = kindOf(record)
  const user = userOf(record)
  const cell = (name, ...children) => element('td', { 'data-label': name }, ...children)
  const created = element(
    'tr',
    { class: `kind-${kind} arrived` },
    cell('Time', time(record.eventTime)),
    cell('User', dot(user), link(`${urls.events}?Username=${encodeURIComponent(user)}`, user)),
    cell('Event', link(`${urls.events}/${encodeURIComponent(record.eventID)}`, record.eventName)),
    cell('Kind', element('span', { class: `badge ${kind}` }, label)),
    cell('Resource', resource(record, urls)),
    cell('Details', element('span', { class: 'outcome' }, details(record))),
    cell('Address', String(record.sourceIPAddress ?? '')),
  )
  created.dataset.user = user
  return created
}

function time(text) {
  return element('time', { datetime: text }, `${String(text).slice(11, 19)} UTC`)
}

function link(url, text) {
  return element('a', { href: url }, String(text))
}

// A dot in a colour of the user; other users can have the same.
function dot(user) {
  let hash = 0
  for (const character of user) hash = (hash * 31 + character.codePointAt(0)) % 1_000_003
  return element('span', { class: `dot s${hash % 10}`, 'aria-hidden': 'true' })
}

function kindOf(record) {
  if (record.errorCode || record.errorMessage) return ['failed', 'Failed']
  if (record.eventName === 'GitPush') return ['push', 'Push']
  return record.readOnly === false ? ['write', 'Write'] : ['read', 'Read']
}

// Returns the name of the caller, as `codecommit-local events` prints it.
export function userOf(record) {
  const identity = record.userIdentity ?? {}
  const session = String(identity.arn ?? '').split('/').slice(1).join('/')
  const names = {
    AssumedRole: session || identity.principalId,
    FederatedUser: session || identity.principalId,
    Root: identity.userName ? `root of ${identity.userName}` : 'root',
    AWSService: identity.invokedBy,
    AWSAccount: identity.accountId && `account ${identity.accountId}`,
    IdentityCenterUser: identity.onBehalfOf?.userId,
  }
  const name = Object.hasOwn(names, identity.type) ? names[identity.type] : (identity.userName ?? identity.principalId)
  return String(name || '-')
}

function resource(record, urls) {
  const { requestParameters: parameters, additionalEventData: data, resources } = record
  const repository = data?.repositoryName ?? parameters?.repositoryName
  if (repository) return link(`${urls.repositories}/${encodeURIComponent(repository)}/code`, repository)
  const names = parameters?.repositoryNames ?? parameters?.resourceARNList ?? resources?.map(({ ARN }) => ARN) ?? []
  const shown = names.slice(0, 3).map((name) => String(name ?? '').split(':').at(-1))
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '')
}

function details(record) {
  const error = [record.errorCode, record.errorMessage].filter(Boolean).join(': ')
  if (error) return error
  const references = record.requestParameters?.references ?? []
  if (references.length === 0) return record.requestParameters?.branchName ?? ''
  const shown = references.slice(0, 3).map(({ ref, commit }) => `${short(ref)} ${String(commit ?? '').slice(0, 8)}`)
  return shown.join(', ') + (references.length > shown.length ? ` and ${references.length - shown.length} more` : '')
}

function short(reference) {
  return String(reference ?? '').replace(/^refs\/(heads|tags)\//, '')
}
