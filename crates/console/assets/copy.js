// Buttons that copy: <button data-copy="TEXT">, or <button data-copy-from="ID of the element with the text">.

import { announce } from './announce.js'

const confirmationMilliseconds = 1500

export function start() {
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy], [data-copy-from]')
    if (!button) return
    event.preventDefault()
    const text = button.dataset.copy ?? textOf(document.getElementById(button.dataset.copyFrom))
    const message = (await copy(text, button)) ? 'Copied' : 'Not copied: the browser refused'
    announce(message)
    if (button.dataset.copied) return
    const label = [...button.childNodes]
    button.dataset.copied = 'yes'
    button.replaceChildren(message)
    setTimeout(() => {
      button.replaceChildren(...label)
      delete button.dataset.copied
    }, confirmationMilliseconds)
  })
}

function textOf(element) {
  return element?.value ?? element?.textContent ?? ''
}

// Copies a text, and returns whether it is in the clipboard. Pages of plain HTTP from another machine have no `navigator.clipboard`.
async function copy(text, button) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
  }
  const field = document.createElement('textarea')
  field.className = 'visually-hidden'
  field.value = text
  button.after(field)
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  button.focus()
  return done
}
