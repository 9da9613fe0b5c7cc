// Keyboard: `/` moves to the search field, `j` and `k` to the next and previous row, `?` shows the keys. Links with `data-key`, such as
// data-key="g r", are followed by their keys. The help dialog switches single keys off, for readers who speak to their computer.

const setting = 'console-keys'
const secondKeyMilliseconds = 1500

let pending = ''
let pendingUntil = 0

export function start() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return
    const focused = document.activeElement
    if (event.key === 'Escape') {
      if (focused !== document.body && isField(focused)) focused.blur()
      return
    }
    if (isField(focused) || document.querySelector('dialog[open]')) return
    if (event.key === '?') {
      event.preventDefault()
      showHelp()
    } else if (isOn() && act(event.key, event.timeStamp)) {
      event.preventDefault()
    }
  })
}

function isField(element) {
  return element.matches('input:not([type="checkbox"], [type="radio"], [type="submit"]), select, textarea, [contenteditable="true"]')
}

function isOn() {
  return localStorage.getItem(setting) !== 'off'
}

// Follows one key, and returns whether it has a meaning here.
function act(key, time) {
  const keys = time < pendingUntil ? `${pending} ${key}` : key
  pendingUntil = 0
  const link = document.querySelector(`[data-key="${CSS.escape(keys)}"]`)
  if (link && isField(link)) {
    return focus(link)
  } else if (link) {
    link.click()
  } else if (document.querySelector(`[data-key^="${CSS.escape(keys)} "]`)) {
    pending = keys
    pendingUntil = time + secondKeyMilliseconds
  } else if (key === '/') {
    return focus(document.querySelector('[data-search], input[type="search"]'))
  } else if (key === 'j' || key === 'k') {
    return move(key === 'j' ? 1 : -1)
  } else {
    return false
  }
  return true
}

function focus(element) {
  element?.focus()
  element?.select?.()
  return Boolean(element)
}

// Focuses the first link of the next or previous row, so that Enter opens it.
function move(step) {
  const links = [...document.querySelectorAll('main table:not(.code, .diff, .heat) tbody tr:not([hidden])')]
    .map((row) => row.querySelector('a[href]'))
    .filter((link) => link?.checkVisibility())
  const row = document.activeElement.closest('tr')
  const at = links.findIndex((link) => link.closest('tr') === row)
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step
  links[next]?.focus()
  links[next]?.scrollIntoView({ block: 'nearest' })
  return links.length > 0
}

function showHelp() {
  const dialog = document.createElement('dialog')
  dialog.setAttribute('aria-labelledby', 'keys-heading')
  const heading = document.createElement('h2')
  heading.id = 'keys-heading'
  heading.textContent = 'Keys'
  const links = [...document.querySelectorAll('[data-key]')].map((link) => [link.dataset.key, link.dataset.keyText ?? link.textContent])
  const rows = [['/', 'Search'], ...links.filter(([keys]) => keys !== '/'), ['j', 'Next row'], ['k', 'Previous row'], ['Enter', 'Open the row'], ['?', 'This help'], ['Escape', 'Close']]
  const list = document.createElement('dl')
  list.className = 'facts'
  for (const [keys, text] of rows) {
    const term = document.createElement('dt')
    for (const key of keys.split(' ')) {
      const kbd = document.createElement('kbd')
      kbd.textContent = key
      term.append(kbd, ' ')
    }
    const meaning = document.createElement('dd')
    meaning.textContent = text.trim()
    list.append(term, meaning)
  }
  const choice = document.createElement('label')
  choice.className = 'choice'
  const box = document.createElement('input')
  box.type = 'checkbox'
  box.checked = isOn()
  box.addEventListener('change', () => localStorage.setItem(setting, box.checked ? 'on' : 'off'))
  choice.append(box, 'Single keys are on')
  const close = document.createElement('button')
  close.type = 'button'
  close.textContent = 'Close'
  close.addEventListener('click', () => dialog.close())
  const end = document.createElement('p')
  end.append(close)
  dialog.append(heading, list, choice, document.createElement('hr'), end)
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}
