import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { icebergClassPath, installIcebergKit } from './iceberg-java.ts'

const run = promisify(execFile)

/** Bytes of output that a program may print. */
const outputBytesMax = 64 * 1024 * 1024

/** Runs one Java source file with Iceberg's jars and gives its stdout. @param jars  further class path entries */
export async function runIcebergProgram(
  file: string,
  args: readonly string[],
  jars: readonly string[] = [],
): Promise<string> {
  await installIcebergKit()
  const home = process.env['JAVA_HOME']
  const java = home === undefined ? 'java' : path.join(home, 'bin', 'java')
  const classPath = [icebergClassPath, ...jars].join(path.delimiter)
  const options = ['-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', classPath]
  const { stdout } = await run(java, [...options, file, ...args], { maxBuffer: outputBytesMax })
  return stdout
}
