'use strict'

// Selection of CloudTrail records.

/** Returns the name of a record's caller as `codecommit-local events` prints it; `-` if the record has none. */
function caller(record) {
  const identity = record.userIdentity ?? {}
  const name = () => {
    switch (identity.type) {
      case 'AssumedRole':
      case 'FederatedUser':
        return identity.arn?.slice(identity.arn.indexOf('/') + 1) ?? identity.principalId
      case 'Root':
        return identity.userName ? `root of ${identity.userName}` : 'root'
      case 'AWSService':
        return identity.invokedBy
      case 'AWSAccount':
        return identity.accountId && `account ${identity.accountId}`
      case 'IdentityCenterUser':
        return identity.onBehalfOf?.userId
      default:
        return identity.userName ?? identity.principalId
    }
  }
  return name() ?? '-'
}

/** Returns the names of the repositories of a record: of a call's parameters, or, for Git, of its resources. */
function repositories(record) {
  const { repositoryName, repositoryNames = [] } = record.requestParameters ?? {}
  const arns = (record.resources ?? []).map((resource) => resource.ARN ?? '').filter((arn) => arn.includes(':codecommit:'))
  const names = [repositoryName, ...repositoryNames, ...arns.map((arn) => arn.slice(arn.lastIndexOf(':') + 1))]
  return [...new Set(names.filter(Boolean))]
}

/** Returns whether a text matches a pattern, in which `*` and `?` are any letters and one letter. */
function matches(text, pattern) {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
  return new RegExp(`^${escaped}$`, 's').test(text)
}

/** Returns the records that match all filters. */
function select(records, { name, user, repository, error, writes } = {}) {
  return records.filter(
    (record) =>
      (name === undefined || matches(record.eventName ?? '', name)) &&
      (user === undefined || matches(caller(record), user)) &&
      (repository === undefined || repositories(record).some((found) => matches(found, repository))) &&
      (error === undefined || matches(record.errorCode ?? '', error)) &&
      (!writes || record.readOnly === false),
  )
}

/** Returns records as lines for people. */
function lines(records) {
  if (records.length === 0) return '  (no records)'
  const line = (record) =>
    [record.eventTime, caller(record), record.eventName, ...repositories(record), record.errorCode].filter(Boolean).join('  ')
  return records.map((record) => `  ${line(record)}`).join('\n')
}

module.exports = { lines, select }
