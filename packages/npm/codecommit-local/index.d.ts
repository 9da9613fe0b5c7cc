/** AWS CodeCommit on one machine, with its audit trail, for tests. */

/** Options of a start. */
export interface Options {
  /** Folder with what is there at the start and after `reset`. */
  seed?: string
  /** File of accounts, users and roles with their keys. */
  identities?: string
  /** Time of the first call, such as `2026-01-31T12:00:00Z`; the clock then advances with each call. */
  clock?: string
  /** Text that all ids are derived from; with `clock`, records and commits are the same in every run. */
  idSeed?: string
  /** `open`: credentials name the caller; `signed`: they must be valid; `enforced`: policies decide, too. */
  access?: 'open' | 'signed' | 'enforced'
  /** Account of callers that name none; 111122223333 by default. */
  account?: string
  /** Region of requests that name none; us-east-1 by default. */
  region?: string
  /** Further flags of the server; they override those of these options. */
  flags?: string[]
  /** Milliseconds until a start has failed; 30,000 by default. */
  startTimeout?: number
  /** Milliseconds until a stopping server is killed; 10,000 by default. */
  stopTimeout?: number
}

/** Filters of records. `*` and `?` in a text match any letters and one letter. */
export interface Filters {
  /** Name of the event, such as `GitPush` or `Create*`. */
  name?: string
  /** Name of the caller, as `codecommit-local events` prints it. */
  user?: string
  /** Name of a repository. */
  repository?: string
  /** Error code; `?*` for every failed call. */
  error?: string
  /** Only calls that change something. */
  writes?: boolean
}

/** A user; where access is signed or enforced, `user` is an access key and `secret` its secret. */
export interface Caller {
  user?: string
  secret?: string
}

/** A record of CloudTrail; the members that every record has, and others. */
export interface Event {
  eventName: string
  eventSource: string
  eventTime: string
  awsRegion: string
  sourceIPAddress: string
  userAgent: string
  errorCode?: string
  errorMessage?: string
  userIdentity: { type?: string; userName?: string; arn?: string; accountId?: string; [member: string]: unknown }
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  requestParameters: any
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  responseElements: any
  [member: string]: unknown
}

/**
 * A failure to simulate, as a table of `[[simulate.failure]]` in the server's file of settings. Without a selector, all calls match; `*`
 * and `?` in a selector match any letters and one letter.
 */
export interface Failure {
  operation?: string
  user?: string
  repository?: string
  reference?: string
  /** Number of first matches that are left alone. */
  after?: number
  /** Number of matches that follow and fail; all, if left out. */
  times?: number
  /** Name of the exception. */
  error?: string
  message?: string
  /** Time by which the reply is late, such as `2s`. */
  delay?: string
  /** Cuts the connection before the call has changed anything, or after it is committed. */
  connection?: 'cut-before' | 'cut-after'
}

/** A running server. It ends with this process, however that ends. */
export interface Server {
  /** The URL of the server. */
  readonly endpoint: string
  readonly account: string
  readonly region: string
  /** The folder of the trail: `events.ndjson`, log files, digests. */
  readonly trail: string
  /** The id of the server's process. */
  readonly processId: number
  /** The end of the server's log. */
  readonly log: string
  /** Returns the CloudTrail records, oldest first. */
  events(filters?: Filters): Promise<Event[]>
  /** Returns the first record of an event; waits for it up to `timeout` milliseconds, 10,000 by default. */
  waitFor(name: string, options?: Filters & { timeout?: number }): Promise<Event>
  /** Removes all data and records, then applies the seed again. */
  reset(): Promise<void>
  /** Remembers the state of the server, for `restore`. */
  snapshot(name: string): Promise<void>
  /** Goes back to a snapshot: what came after it is dropped, records included. */
  restore(name: string): Promise<void>
  /** Replaces the failures to simulate; an empty list ends them. */
  fail(failures: Failure[]): Promise<void>
  /** Returns the options of a client of the AWS SDK: endpoint, region, credentials. */
  clientConfig(caller?: Caller): {
    endpoint: string
    region: string
    credentials: { accessKeyId: string; secretAccessKey: string }
  }
  /** Returns the environment variables that point AWS SDKs, the AWS CLI and git at the server. */
  env(caller?: Caller): Record<string, string>
  /** Returns the URL of a repository for git, with the user that is recorded. */
  cloneUrl(name: string, credentials?: { user?: string; password?: string }): string
  /** Stops the server: by SIGTERM, and by SIGKILL if it still runs after `stopTimeout`. */
  stop(): Promise<void>
  /** Stops the server at the end of `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Returns the path of the server's binary. */
export function binary(): string

/** Starts a server on a free port of this machine, and waits until it is ready. */
export function start(options?: Options): Promise<Server>
