'use strict'

const { accessSync, constants, realpathSync, statSync } = require('node:fs')
const { delimiter, join, resolve } = require('node:path')

const NAME = 'codecommit-local'
const VARIABLE = 'CODECOMMIT_LOCAL_BINARY'

// Packages with the binary, by platform.
const PACKAGES = { 'linux-x64': '@codecommit-local/linux-x64' }

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Returns the path of the server's binary: of CODECOMMIT_LOCAL_BINARY, of the package for this platform, or of PATH.
 */
function binary() {
  const explicit = process.env[VARIABLE]
  if (explicit) {
    if (isProgram(explicit)) return resolve(explicit)
    throw new Error(`${VARIABLE} is '${explicit}', which is no program: correct the variable, or unset it`)
  }
  const platform = `${process.platform}-${process.arch}`
  const name = PACKAGES[platform]
  if (name) {
    try {
      return require.resolve(`${name}/${NAME}`)
    } catch {
      // The package manager was told to leave out optional dependencies, or the modules are of another machine.
    }
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const found = folders.map((folder) => join(folder, NAME)).find((path) => isProgram(path) && !isCommand(path))
  if (found) return found
  const reason = name
    ? `the package ${name}, which has it for ${platform}, is not installed: npm install ${name}, and no --omit=optional`
    : `there is no package for ${platform}, only for ${Object.keys(PACKAGES).join(', ')}: build it from source (cargo install)`
  throw new Error(`cannot find the program ${NAME}: ${reason}; or set ${VARIABLE} to its path`)
}

/** Whether a path is the command of this package, which would start itself. */
function isCommand(path) {
  return realpathSync(path) === realpathSync(join(__dirname, '..', 'cli.js'))
}

module.exports = { binary }
