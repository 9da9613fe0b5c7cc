// The types of the npm package: this file must compile, and the marked lines must not.

import { binary, start, type Event, type Server } from 'codecommit-local'

const path: string = binary()

export async function users(): Promise<(string | undefined)[]> {
  await using server: Server = await start({ seed: path, access: 'signed', flags: ['--event-version', '1.11'] })
  const pushed: Event = await server.waitFor('GitPush', { user: 'Li_*', timeout: 1_000 })
  await server.fail([{ operation: 'CreateRepository', error: 'ThrottlingException', times: 3 }])
  // @ts-expect-error: there is no such filter.
  await server.events({ caller: 'Li_Juan' })
  // @ts-expect-error: there is no such mode.
  await start({ access: 'closed' })
  return [pushed.userIdentity.userName, server.env().AWS_REGION, server.cloneUrl('MyDemoRepo', { user: 'Li_Juan' })]
}
