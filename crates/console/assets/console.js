// Entry of the console's scripts: imports the modules that the page needs. Every page works without them, except the live page.
//
// A module is needed if an element of the page matches its selector below, or names it in `data-module`. It exports `start(element)`,
// which is called once: with the document, or with each element that names it.

const selectors = {
  choose: '[data-choose]',
  copy: '[data-copy], [data-copy-from]',
  diff: '[data-comment]',
  filter: '[data-filter]',
  fold: '[data-fold]',
  lines: 'table.code',
  menus: 'details.drop',
  plot: 'svg.plot[data-href]',
  times: 'time[datetime]',
}

const root = document.documentElement
const load = async (name, element) => (await import(`./${name}.js`)).start(element)

root.classList.add('js')
const loads = [load('keys', document)]
for (const [name, selector] of Object.entries(selectors)) {
  if (document.querySelector(selector)) loads.push(load(name, document))
}
for (const element of document.querySelectorAll('[data-module]')) {
  for (const name of element.dataset.module.split(' ')) loads.push(load(name, element))
}
await Promise.all(loads)
// Tests wait for this.
root.dataset.scripts = 'ready'
