// Opens the form for a comment below a line of a difference: <a data-comment href="..."> in the line, and <template id="comment-form">.
// Each `data-NAME` of the link, or of its table, becomes the value of the form's field NAME. Without this, the link leads to a page with the form.

export function start(root) {
  const template = document.getElementById('comment-form')
  if (!template) return
  root.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-comment]')
    if (!link || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    open(link, template)
  })
}

function open(link, template) {
  const line = link.closest('tr')
  const opened = line.nextElementSibling
  if (opened?.classList.contains('commenting')) {
    opened.querySelector('textarea').focus()
    return
  }
  const row = document.createElement('tr')
  row.className = 'commenting'
  const cell = document.createElement('td')
  cell.className = 'talk'
  cell.colSpan = [...line.cells].reduce((sum, cell) => sum + cell.colSpan, 0)
  cell.append(template.content.cloneNode(true))
  row.append(cell)
  for (const [name, value] of Object.entries({ ...link.closest('table').dataset, ...link.dataset })) {
    const field = cell.querySelector(`[name="${CSS.escape(name)}"]`)
    if (field) field.value = value
  }
  const close = () => {
    row.remove()
    link.focus()
  }
  const cancel = document.createElement('button')
  cancel.type = 'button'
  cancel.textContent = 'Cancel'
  cancel.addEventListener('click', close)
  const submit = cell.querySelector('button:not([type="button"])')
  if (submit) submit.after(' ', cancel)
  else cell.append(cancel)
  row.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !cell.querySelector('textarea').value) close()
  })
  line.after(row)
  cell.querySelector('textarea').focus()
}
