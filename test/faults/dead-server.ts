// `node dead-server.cjs FOLDER`: mounts a file system there that accepts every request and answers none but
// the first, and says "ready". Whoever looks into it waits in the kernel, and not even SIGKILL ends that,
// until this process ends.
//
// @see linux/fuse.h: fuse_in_header, fuse_out_header, fuse_init_out

import { openSync, read, writeSync } from 'node:fs'
import { must } from './mounts.ts'

const INIT = 26
const HEADER_BYTES = 16
const INIT_REPLY_BYTES = 64

const server = openSync('/dev/fuse', 'r+')
const folder = process.argv[2] as string
must(
  'mount',
  ['-i', '-t', 'fuse', '-o', 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other', 'dead', folder],
  server,
)
const request = Buffer.alloc(256 * 1024)
serve()

function serve(): void {
  read(server, request, 0, request.length, null, (error) => {
    if (error) process.exit(1)
    if (request.readUInt32LE(4) === INIT) {
      writeSync(server, initReply())
      process.stdout.write('ready\n')
    }
    serve()
  })
}

function initReply(): Buffer {
  const reply = Buffer.alloc(HEADER_BYTES + INIT_REPLY_BYTES)
  reply.writeUInt32LE(reply.length, 0)
  // The request's own number says what is answered.
  request.copy(reply, 8, 8, 16)
  for (const [at, value] of [7, 31, 65_536].entries()) reply.writeUInt32LE(value, HEADER_BYTES + 4 * at)
  return reply
}
