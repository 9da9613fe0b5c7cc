// Times: the server writes UTC into <time datetime="...">; this adds the time in the reader's zone beside it, and how long ago it was as
// the title. With the class `relative` the text becomes how long ago it was, and both times are the title.

const second = 1000
const units = [
  ['year', 365 * 24 * 3600 * second],
  ['month', 30 * 24 * 3600 * second],
  ['day', 24 * 3600 * second],
  ['hour', 3600 * second],
  ['minute', 60 * second],
  ['second', second],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const zone = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' })
const refreshMilliseconds = 60 * second

export function start(root) {
  localize(root)
  setInterval(() => {
    for (const element of document.querySelectorAll('time[data-localized]')) refresh(element)
  }, refreshMilliseconds)
}

// Localizes the times of an element that are not localized yet.
export function localize(root) {
  for (const element of root.querySelectorAll('time[datetime]:not([data-localized])')) {
    const date = new Date(element.dateTime)
    if (Number.isNaN(date.getTime())) continue
    element.dataset.localized = element.textContent
    if (!element.classList.contains('relative') && date.getTimezoneOffset() !== 0) {
      const local = document.createElement('span')
      local.className = 'zone'
      local.textContent = ` (${inZone(date, !sameDay(date))})`
      element.append(local)
    }
    refresh(element)
  }
}

// Returns how long ago a date was, or in how long it is: `2 hours ago`.
export function ago(date, now = Date.now()) {
  const difference = date.getTime() - now
  const [unit, length] = units.find(([, length]) => Math.abs(difference) >= length) ?? units.at(-1)
  return relative.format(Math.trunc(difference / length), unit)
}

function inZone(date, withDay) {
  const name = zone.formatToParts(date).find((part) => part.type === 'timeZoneName').value
  return `${withDay ? `${day.format(date)} ` : ''}${clock.format(date)} ${name}`
}

function sameDay(date) {
  return date.getDate() === date.getUTCDate()
}

function refresh(element) {
  const date = new Date(element.dateTime)
  if (element.classList.contains('relative')) {
    element.textContent = ago(date)
    const utc = date.toISOString().replace('T', ' ').replace(/\.\d+Z/, ' UTC')
    element.title = date.getTimezoneOffset() === 0 ? utc : `${utc} (${inZone(date, true)})`
  } else {
    element.title = ago(date)
  }
}
