'use strict'

// AWS CodeCommit on one machine, with its audit trail, for tests. CommonJS, which `import` reads too.

module.exports.binary = require('./lib/binary.js').binary
module.exports.start = require('./lib/server.js').start
