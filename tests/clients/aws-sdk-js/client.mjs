// A story with the AWS SDK for JavaScript, which is configured by the environment only. Each step prints a line of JSON: its result, or
// the name and message of the exception.

import {
  CodeCommitClient,
  CreateCommitCommand,
  CreateRepositoryCommand,
  GetFileCommand,
  GetRepositoryCommand,
  ListRepositoriesCommand,
  paginateListRepositories,
} from '@aws-sdk/client-codecommit'

const client = new CodeCommitClient({ maxAttempts: 1 })
const repositoryName = process.argv[2]
const file = { filePath: 'notes/ä ö.txt', fileContent: new TextEncoder().encode('A demonstration.\n') }

const steps = [
  async () => (await client.send(new ListRepositoriesCommand({}))).repositories.length,
  async () => (await client.send(new CreateRepositoryCommand({ repositoryName }))).repositoryMetadata.cloneUrlHttp,
  async () => {
    const commit = new CreateCommitCommand({ repositoryName, branchName: 'main', putFiles: [file] })
    return (await client.send(commit)).filesAdded.map((added) => added.absolutePath)
  },
  async () => {
    const { fileContent } = await client.send(new GetFileCommand({ repositoryName, filePath: file.filePath }))
    return new TextDecoder().decode(fileContent)
  },
  async () => {
    const names = []
    for await (const page of paginateListRepositories({ client }, {})) names.push(...page.repositories)
    return names.map((repository) => repository.repositoryName)
  },
  async () => client.send(new GetRepositoryCommand({ repositoryName: 'absent' })),
]

for (const step of steps) {
  let result
  try {
    result = await step()
  } catch (error) {
    result = [error.name, error.message]
  }
  console.log(JSON.stringify(result))
}
