#!/usr/bin/env node
// The `floe` command. Runs on the project's own Node: the one that started this file may be older than the code allows.
'use strict'
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const entry = path.join(__dirname, '..', 'src', 'main.ts')
const major = Number(process.versions.node.split('.')[0])

// Files are written and synced on these threads; four, the default, make eight commits at once wait for each other.
process.env.UV_THREADPOOL_SIZE ??= '16'

if (major >= 24) {
  // Types are stripped and modules compiled once per version of a file: start-up takes about half the time.
  require('node:module').enableCompileCache()
  import(require('node:url').pathToFileURL(entry).href)
} else {
  const node = findNode(__dirname)
  const child = spawn(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function findNode(from) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', 'node', 'bin', 'node')
    if (fs.existsSync(candidate)) return candidate
    if (folder === path.dirname(folder)) {
      process.stderr.write('floe needs Node 24 or newer: run npm ci in the checkout, which brings it along\n')
      process.exit(1)
    }
  }
}
