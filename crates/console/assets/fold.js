// Buttons that open and close all nested <details> of an element with `data-fold`.

export function start(root) {
  for (const tree of root.querySelectorAll('[data-fold]')) {
    const row = document.createElement('div')
    row.className = 'row'
    row.append(button('Expand all', tree, true), button('Collapse all', tree, false))
    tree.prepend(row)
  }
}

function button(text, tree, open) {
  const element = document.createElement('button')
  element.type = 'button'
  element.className = 'small'
  element.textContent = text
  element.addEventListener('click', () => {
    for (const details of tree.querySelectorAll('details')) details.open = open || details.parentElement === tree
  })
  return element
}
