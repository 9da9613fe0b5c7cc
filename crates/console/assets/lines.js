// Selects lines of a file by the fragment of the address, `#L3` or `#L3-L9`. A click on a line's number selects it, with shift the range
// from the line that was selected first.

export function start() {
  let first
  const select = (scroll) => {
    const found = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash)
    for (const row of document.querySelectorAll('table.code tr.selected')) row.classList.remove('selected')
    if (!found) return
    const [from, to] = [Number(found[1]), Number(found[2] ?? found[1])].sort((left, right) => left - right)
    first ??= from
    for (let number = from; number <= to; number += 1) {
      const row = document.getElementById(`L${number}`)
      if (!row) break
      row.classList.add('selected')
    }
    if (scroll) document.getElementById(`L${from}`)?.scrollIntoView({ block: 'center' })
  }
  document.addEventListener('click', (event) => {
    const link = event.target.closest('table.code .number a')
    if (!link || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const number = Number(link.hash.slice(2))
    if (!event.shiftKey) first = number
    const [from, to] = [first ?? number, number].sort((left, right) => left - right)
    history.replaceState(null, '', from === to ? `#L${from}` : `#L${from}-L${to}`)
    select(false)
  })
  addEventListener('hashchange', () => select(true))
  select(/-/.test(location.hash))
}
