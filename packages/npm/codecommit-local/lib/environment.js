'use strict'

// Only the services that are here: a program may use others elsewhere.
const SERVICES = ['CODECOMMIT', 'CLOUDTRAIL', 'STS', 'IAM', 'RESOURCE_GROUPS_TAGGING_API']

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Returns the variables that point AWS SDKs, the AWS CLI and git at a server. Without `gitUser`, git asks the AWS CLI for a
 * password, which is a signature of the access key.
 */
function variables({ endpoint, region, key, secret, gitUser }) {
  const found = Object.fromEntries(SERVICES.map((service) => [`AWS_ENDPOINT_URL_${service}`, endpoint]))
  Object.assign(found, {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_EC2_METADATA_DISABLED: 'true',
    CODECOMMIT_LOCAL_ENDPOINT: endpoint,
  })
  const answer = gitUser && [`username=${gitUser.name}`, `password=${gitUser.password}`].map(quoted).join(' ')
  const helper = answer
    ? `!f() { test $1 = get && printf '%s\\n' ${answer}; }; f`
    : '!f() { aws codecommit credential-helper $1 $([ $1 = get ] && echo --ignore-host-check); }; f'
  // The empty value removes the helpers of the user's own configuration, which could keep the password.
  const settings = [['helper', ''], ['helper', helper], ['useHttpPath', 'true']]
  const first = Number.parseInt(process.env.GIT_CONFIG_COUNT ?? '0', 10) || 0
  settings.forEach(([name, value], index) => {
    found[`GIT_CONFIG_KEY_${first + index}`] = `credential.${endpoint}.${name}`
    found[`GIT_CONFIG_VALUE_${first + index}`] = value
  })
  found.GIT_CONFIG_COUNT = String(first + settings.length)
  return found
}

module.exports = { variables }
