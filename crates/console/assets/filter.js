// Filters the rows of a table as one types: <input data-filter="ID of the table">. A row stays if it contains every word, in upper or
// lower case. <output data-filter-count="ID of the table"> shows how many rows stay.

import { announce } from './announce.js'

export function start(root) {
  for (const input of root.querySelectorAll('[data-filter]')) follow(input)
}

function follow(input) {
  const table = document.getElementById(input.dataset.filter)
  if (!table) return
  const count = document.querySelector(`[data-filter-count="${CSS.escape(table.id)}"]`)
  let rows
  let pause
  const apply = () => {
    rows ??= [...table.tBodies].flatMap((body) => [...body.rows]).map((row) => [row, row.textContent.toLowerCase()])
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
    let shown = 0
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word))
      if (!row.hidden) shown += 1
    }
    const message = `${shown} of ${rows.length} rows`
    if (count) count.textContent = message
    clearTimeout(pause)
    pause = setTimeout(() => announce(message), 500)
  }
  input.addEventListener('input', apply)
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || input.value === '') return
    event.stopPropagation()
    input.value = ''
    apply()
  })
  if (input.value) apply()
}
