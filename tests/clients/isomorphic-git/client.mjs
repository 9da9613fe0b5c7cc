// The clients' commands, by isomorphic-git; tests/suite/clients.rs says what they are.

import { execSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import git from 'isomorphic-git'
import http from 'isomorphic-git/http/node'

const author = { name: 'Mary Major', email: 'mary_major@example.com' }

const commands = {
  async clone(url, dir, depth) {
    await git.clone({ fs, http, dir, url, depth: depth && Number(depth) })
  },

  async fetch(dir) {
    await git.fetch({ fs, http, dir, remote: 'origin', tags: true })
  },

  async commit(dir, filepath, content) {
    fs.writeFileSync(path.join(dir, filepath), content)
    await git.add({ fs, dir, filepath })
    await git.commit({ fs, dir, message: filepath, author })
  },

  async push(dir, refspec, meanwhile = 'true') {
    const [, plus, ref, remoteRef] = refspec.match(/^(\+?)(.*):(.*)$/)
    const request = (sent) => {
      if (sent.method === 'POST') execSync(meanwhile)
      return http.request(sent)
    }
    const named = ref === '' ? { remoteRef, delete: true } : { ref, remoteRef }
    await git.push({ fs, http: { request }, dir, remote: 'origin', force: plus === '+', ...named })
  }
}

const [name, ...rest] = process.argv.slice(2)
await commands[name](...rest)
