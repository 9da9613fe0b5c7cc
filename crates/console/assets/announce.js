// Messages for screen readers, in a live region that exists before the first of them.

const region = document.createElement('div')
region.setAttribute('role', 'status')
region.className = 'visually-hidden'
document.body.append(region)

// Announces a text. A text that is announced again is a change only if the region was empty in between.
export function announce(text) {
  region.textContent = ''
  requestAnimationFrame(() => {
    region.textContent = text
  })
}
