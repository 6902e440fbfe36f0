// Runs a TypeScript entry on the project's own Node, whatever Node started this file (20 or newer).
//   node tools/bootstrap.cjs <entry.ts> [args]      a file of this checkout
//   node tools/bootstrap.cjs --bin <name> [args]    a command of node_modules/.bin
// Installs the dependencies first when they are missing or older than package-lock.json.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.resolve(__dirname, '..')
const nodeBinary = path.join(root, 'node_modules', 'node', 'bin', 'node')
const installedLock = path.join(root, 'node_modules', '.package-lock.json')

function isInstalled() {
  if (!fs.existsSync(nodeBinary) || !fs.existsSync(installedLock)) return false
  return fs.statSync(installedLock).mtimeMs >= fs.statSync(path.join(root, 'package-lock.json')).mtimeMs
}

function install() {
  process.stderr.write('floe: installing dependencies with npm ci (once) ...\n')
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.status !== 0) {
    process.stderr.write('floe: npm ci failed; the lines above say why\n')
    process.exit(result.status || 1)
  }
  const now = new Date()
  fs.utimesSync(installedLock, now, now)
}

if (!isInstalled()) install()

const [first, ...rest] = process.argv.slice(2)
const bin = path.join(root, 'node_modules', '.bin')
const script = first === '--bin' ? fs.realpathSync(path.join(bin, rest.shift())) : path.join(root, first)
const result = spawnSync(nodeBinary, [script, ...rest], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`, NX_DAEMON: 'false' },
})
if (result.signal) process.kill(process.pid, result.signal)
process.exit(result.status === null ? 1 : result.status)
