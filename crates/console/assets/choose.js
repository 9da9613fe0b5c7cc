// Conflicts by hunk: each <fieldset data-choose> has radio buttons with the values of the sides, elements with `data-side` whose text is
// the content of a side, and perhaps a <textarea data-own> for a text of one's own, whose button has the value `own`.
// This fills that text from the sides, takes one side of all hunks, and counts the hunks that are chosen in <output data-chosen>.

import { announce } from './announce.js'

export function start(root) {
  const hunks = [...root.querySelectorAll('[data-choose]')]
  for (const hunk of hunks) fill(hunk)
  const count = () => {
    const chosen = hunks.filter((hunk) => hunk.querySelector('input[type="radio"]:checked')).length
    const message = `${chosen} of ${hunks.length} conflicts chosen`
    for (const output of root.querySelectorAll('[data-chosen]')) output.textContent = message
    return message
  }
  root.addEventListener('change', (event) => {
    if (event.target.closest('[data-choose]')) count()
  })
  root.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-choose-all]')
    if (!button) return
    for (const hunk of hunks) {
      const radio = hunk.querySelector(`input[type="radio"][value="${CSS.escape(button.dataset.chooseAll)}"]`)
      if (radio) radio.checked = true
    }
    announce(count())
  })
  count()
}

// Offers both sides as the beginning of an own text, and chooses that text as soon as it is changed.
function fill(hunk) {
  const own = hunk.querySelector('[data-own]')
  const radio = hunk.querySelector('input[type="radio"][value="own"]')
  if (!own || !radio) return
  radio.addEventListener('change', () => {
    if (own.value) return
    own.value = [...hunk.querySelectorAll('[data-side]')].map((side) => side.textContent).join('')
    own.focus()
  })
  own.addEventListener('input', () => {
    radio.checked = true
    radio.dispatchEvent(new Event('change', { bubbles: true }))
  })
}
