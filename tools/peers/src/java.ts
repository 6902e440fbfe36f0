import { existsSync } from 'node:fs'
import path from 'node:path'
import { run } from './peer-folder.ts'

export const javaHint =
  'install a JDK 17 and Maven, or set JAVA_HOME (Debian: apt-get install openjdk-17-jdk-headless maven)'

/** The command of the JDK of JAVA_HOME, or of the path. */
export function jdkCommand(name: 'java' | 'javac'): string {
  const home = process.env['JAVA_HOME']
  return home === undefined ? name : path.join(home, 'bin', name)
}

/** Copies one artifact, `group:name:version[:type]`, without what it depends on. Returns its file. */
export async function copyArtifact(artifact: string, folder: string): Promise<string> {
  const [, name, version, type = 'jar'] = artifact.split(':')
  const file = path.join(folder, `${name}-${version}.${type}`)
  if (existsSync(file)) return file
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy'
  const options = [`-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`]
  await run('mvn', ['--quiet', '--batch-mode', goal, ...options], javaHint)
  return file
}
