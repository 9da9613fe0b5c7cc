// The example of the browser tests and of the screenshots: the seed of this folder, with repositories that `git` makes and a day of events.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The time at which servers with this seed start. */
export const startTime = '2026-01-30T15:00:00Z'

/** Settings of a server with the seed of a folder. */
export const settings = (folder) => [
  '--seed',
  folder,
  '--identities',
  join(folder, 'identities.toml'),
  '--clock',
  startTime,
  '--id-seed',
  'example',
]

const people = {
  Mary_Major: 'Mary Major <mary_major@example.com>',
  Li_Juan: 'Li Juan <li_juan@example.com>',
  Saanvi_Sarkar: 'Saanvi Sarkar <saanvi_sarkar@example.com>',
  Nikki_Wolf: 'Nikki Wolf <nikki_wolf@example.com>',
}

/** Writes the seed into a new folder. */
export function writeSeed(folder) {
  cpSync(fileURLToPath(new URL('seed', import.meta.url)), folder, { recursive: true })
  const commits = writeDemo(folder)
  writeFiles(join(folder, 'repositories/network'), {
    'README.md': '# Network\n\nRoutes of the lab.\n',
    'main.tf': 'variable "region" {\n  type    = string\n  default = "us-east-1"\n}\n',
    'routes.yml': 'routes:\n  - to: 192.0.2.0/24\n    via: 198.51.100.1\n',
  })
  writeFiles(join(folder, 'repositories/website'), {
    'index.html': '<!doctype html>\n<title>Course</title>\n<p>Welcome.</p>\n',
    'style.css': 'body {\n  margin: 2rem;\n}\n',
  })
  writeFileSync(join(folder, 'events.ndjson'), events(commits).map((event) => `${JSON.stringify(event)}\n`).join(''))
}

function writeFiles(folder, files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

// Writes the repository with a history: branches, merges, a tag, and a conflict between `greeting` and `main`. Returns the ids of its
// commits, oldest first.
function writeDemo(seed) {
  const folder = join(seed, 'work')
  let time = Date.parse('2026-01-27T09:00:00Z')
  const git = (person, ...parameters) => {
    time += 47 * 60_000
    const [name, email] = people[person].slice(0, -1).split(' <')
    const date = `${Math.floor(time / 1000)} +0000`
    const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' }
    for (const role of ['AUTHOR', 'COMMITTER']) {
      Object.assign(env, { [`GIT_${role}_NAME`]: name, [`GIT_${role}_EMAIL`]: email, [`GIT_${role}_DATE`]: date })
    }
    execFileSync('git', parameters, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  const commit = (person, message, files) => {
    writeFiles(folder, files)
    git(person, 'add', '--all')
    git(person, 'commit', '--quiet', '--message', message)
  }
  mkdirSync(folder)
  git('Mary_Major', 'init', '--quiet', '--initial-branch=main')
  commit('Mary_Major', 'Add a README', { 'README.md': readme('Hello, NAME.') })
  commit('Mary_Major', 'Greet people', { 'Cargo.toml': manifest, 'src/main.rs': main('Hello'), 'src/names.rs': names })
  git('Saanvi_Sarkar', 'switch', '--quiet', '--create', 'docs')
  commit('Saanvi_Sarkar', 'Describe the build', { 'docs/guide.md': '# Guide\n\n1. `cargo build`\n2. `cargo run`\n' })
  commit('Saanvi_Sarkar', 'Add a picture', { 'docs/picture.svg': picture })
  git('Li_Juan', 'switch', '--quiet', 'main')
  commit('Li_Juan', 'Build an image\n\nThe image has one layer, and no shell.', { Dockerfile: dockerfile })
  git('Mary_Major', 'tag', '--annotate', '--message', 'The first release', 'v1.0')
  git('Li_Juan', 'switch', '--quiet', '--create', 'fix-names')
  commit('Li_Juan', 'Accept names of more parts', { 'src/names.rs': fixedNames })
  commit('Li_Juan', 'Test names', { 'tests/names.py': test })
  git('Nikki_Wolf', 'switch', '--quiet', '--create', 'greeting', 'main')
  commit('Nikki_Wolf', 'Greet in the evening', { 'README.md': readme('Good evening, NAME.'), 'src/main.rs': main('Good evening') })
  git('Mary_Major', 'switch', '--quiet', 'main')
  commit('Mary_Major', 'Greet in the morning', { 'README.md': readme('Good morning, NAME.'), 'src/main.rs': main('Good morning') })
  git('Mary_Major', 'switch', '--quiet', '--create', 'ci')
  commit('Mary_Major', 'Run the tests', { '.ci/test.sh': '#!/bin/sh\nset -eu\ncargo test "$@" # all of them\n' })
  git('Mary_Major', 'switch', '--quiet', 'main')
  git('Mary_Major', 'merge', '--quiet', '--no-ff', '--message', 'Merge the tests', 'ci')
  git('Mary_Major', 'branch', '--quiet', '--delete', 'ci')
  git('Mary_Major', 'clone', '--quiet', '--bare', '.', '../repositories/MyDemoRepo.git')
  const commits = execFileSync('git', ['rev-list', '--all', '--reverse'], { cwd: folder, encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  return commits.trim().split('\n')
}

const readme = (greeting) => `# MyDemoRepo

A program that greets **people**. It prints one line:

    ${greeting}

| command | what it does |
| --- | --- |
| \`cargo run NAME\` | greets a person |
| \`cargo test\` | runs the tests |

See the [guide](docs/guide.md).
`
const manifest = '[package]\nname = "greeter"\nversion = "1.0.0"\nedition = "2024"\n'
const main = (greeting) => `//! Greets a person.

mod names;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_else(|| "world".to_owned());
    println!("${greeting}, {}.", names::full(&name));
}
`
const names = `//! Names of people.

/// Returns a name as it is shown.
pub fn full(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default();
    let last = parts.next().unwrap_or_default();
    format!("{first} {last}")
}
`
const fixedNames = `//! Names of people.

/// Returns a name as it is shown: its parts, with spaces between them.
pub fn full(name: &str) -> String {
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        // Nobody is greeted.
        return "world".to_owned();
    }
    parts.join(" ")
}
`
const test = `"""Tests of names."""

import subprocess


def test_names_can_have_three_parts() -> None:
    output = subprocess.run(["greeter", "Ana_Carolina_Silva"], capture_output=True, text=True, check=True)
    assert output.stdout.endswith("Ana Carolina Silva.\\n")
`
const dockerfile = 'FROM scratch\nCOPY target/release/greeter /greeter\nENTRYPOINT ["/greeter"]\n'
const picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 16"><rect width="32" height="16" fill="#36c"/></svg>\n'

// Names of events with their weights, and whether they read.
const kinds = [
  ['GitPull', 9, true],
  ['GetFile', 7, true],
  ['GetBranch', 6, true],
  ['GetDifferences', 6, true],
  ['ListPullRequests', 5, true],
  ['GitPush', 7, false],
  ['PutFile', 3, false],
  ['CreateBranch', 3, false],
  ['PostCommentForPullRequest', 3, false],
  ['UpdatePullRequestApprovalState', 1, false],
]
const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)
const users = ['Li_Juan', 'Li_Juan', 'Mary_Major', 'Saanvi_Sarkar', 'Saanvi_Sarkar', 'Nikki_Wolf']
const branches = ['main', 'fix-names', 'greeting', 'docs']

// Returns the events of a day of the lab, oldest first, the same each time.
function events(commits) {
  let state = 7
  const random = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  const hexadecimal = (length) => Array.from({ length }, () => random(16).toString(16)).join('')
  const id = () => [8, 4, 4, 4, 12].map(hexadecimal).join('-')
  const start = Date.parse('2026-01-30T07:00:00Z')
  const length = Date.parse('2026-01-30T14:58:00Z') - start
  const times = Array.from({ length: 420 }, () => {
    // The work comes in two waves, before and after noon.
    const wave = (random(1000) + random(1000) + random(1000)) / 3000
    return start + Math.floor((wave * 0.48 + (random(3) ? 0.5 : 0.02)) * length)
  }).sort((one, other) => one - other)
  const record = (time, user, eventName, isRead, members) => {
    const isGit = eventName.startsWith('Git')
    const repositoryName = random(4) || isGit ? 'MyDemoRepo' : 'network'
    const reference = { commit: commits[random(commits.length)], ref: `refs/heads/${branches[random(branches.length)]}` }
    const data = { protocol: 'HTTP', dataTransferred: true, repositoryName, repositoryId: '8b2ba1d2-59d0-4c9f-a1fd-0f2c2c7b1a11' }
    return {
      eventVersion: '1.05',
      userIdentity: {
        type: 'IAMUser',
        principalId: 'AIDACKCEVSQ6C2EXAMPLE',
        arn: `arn:aws:iam::111122223333:user/${user}`,
        accountId: '111122223333',
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        userName: user,
      },
      eventTime: new Date(time).toISOString().replace(/\.\d+Z/, 'Z'),
      eventSource: 'codecommit.amazonaws.com',
      eventName,
      awsRegion: 'us-east-1',
      sourceIPAddress: `192.0.2.${10 + users.indexOf(user)}`,
      userAgent: isGit ? 'git/2.47.3' : 'aws-cli/2.31.0',
      requestParameters: isGit ? (isRead ? null : { references: [reference] }) : { repositoryName },
      responseElements: null,
      ...(isGit && { additionalEventData: data }),
      requestID: id(),
      eventID: id(),
      readOnly: isRead,
      resources: [
        { ARN: `arn:aws:codecommit:us-east-1:111122223333:${repositoryName}`, accountId: '111122223333', type: 'AWS::CodeCommit::Repository' },
      ],
      eventType: 'AwsApiCall',
      ...(!isGit && { apiVersion: '2015-04-13' }),
      recipientAccountId: '111122223333',
      ...members,
    }
  }
  const records = times.map((time) => {
    const user = users[random(users.length)]
    let choice = random(total)
    const [name, , isRead] = kinds.find(([, weight]) => (choice -= weight) < 0)
    return record(time, user, name, isRead, {})
  })
  const denied = {
    errorCode: 'AccessDenied',
    errorMessage: 'User: arn:aws:iam::111122223333:user/Nikki_Wolf is not authorized to perform: codecommit:DeleteBranch on resource: arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo',
  }
  const deletion = { requestParameters: { repositoryName: 'MyDemoRepo', branchName: 'release-2' }, userAgent: 'aws-cli/2.31.0' }
  const at = (time) => Date.parse(`2026-01-30T${time}Z`)
  records.push(
    record(at('14:12:09'), 'Nikki_Wolf', 'DeleteBranch', false, { ...deletion, ...denied }),
    record(at('14:14:31'), 'Saanvi_Sarkar', 'DeleteBranch', false, {
      ...deletion,
      responseElements: { deletedBranch: { branchName: 'release-2', commitId: commits[1] } },
    }),
  )
  const order = (event) => Date.parse(event.eventTime)
  return records.sort((one, other) => order(one) - order(other))
}
