// Objects with the SDK for JavaScript: the first argument is the name of a new bucket.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'

const s3 = new S3Client({ region: 'us-east-1', endpoint: process.env.AWS_ENDPOINT_URL, forcePathStyle: true })
const Bucket = process.argv[2]
const send = (Command, input) => s3.send(new Command({ Bucket, ...input }))

await send(CreateBucketCommand)
const content = randomBytes(6 << 20)
const put = await send(PutObjectCommand, { Key: 'whole', Body: content, Metadata: { from: 'node' } })
assert.equal(put.ETag, `"${createHash('md5').update(content).digest('hex')}"`)

// A stream is sent in chunks, with its checksum in a trailer.
const stream = Readable.from([content.subarray(0, 1000), content.subarray(1000)])
await send(PutObjectCommand, { Key: 'stream', Body: stream, ContentLength: content.length, ChecksumAlgorithm: 'CRC32' })
for (const Key of ['whole', 'stream']) {
  const got = await send(GetObjectCommand, { Key, ChecksumMode: 'ENABLED' })
  assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), content)
}
assert.deepEqual((await send(HeadObjectCommand, { Key: 'whole' })).Metadata, { from: 'node' })

const Key = 'parts'
const { UploadId } = await send(CreateMultipartUploadCommand, { Key })
const Parts = []
for (const PartNumber of [1, 2]) {
  const { ETag } = await send(UploadPartCommand, { Key, UploadId, PartNumber, Body: content.subarray((PartNumber - 1) * (5 << 20), PartNumber * (5 << 20)) })
  Parts.push({ PartNumber, ETag })
}
const completed = await send(CompleteMultipartUploadCommand, { Key, UploadId, MultipartUpload: { Parts } })
assert.match(completed.ETag, /-2"$/)
await assert.rejects(send(AbortMultipartUploadCommand, { Key, UploadId }), { name: 'NoSuchUpload' })
assert.equal((await send(HeadObjectCommand, { Key })).ContentLength, content.length)

await assert.rejects(send(GetObjectCommand, { Key: 'missing' }), { name: 'NoSuchKey' })
const encryption = await send(GetBucketEncryptionCommand)
assert.equal(encryption.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm, 'AES256')
const { Contents } = await send(ListObjectsV2Command)
assert.deepEqual(Contents.map((object) => object.Key), ['parts', 'stream', 'whole'])
const { Deleted } = await send(DeleteObjectsCommand, { Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } })
assert.equal(Deleted.length, 3)
