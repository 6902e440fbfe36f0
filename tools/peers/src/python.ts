import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { installOnce, peerFolder, run } from './peer-folder.ts'

const pythonHint = 'install Python 3.10 or newer with venv (Debian: apt-get install python3 python3-venv)'

/** A virtual environment with these packages. Returns its interpreter. */
export async function installVenv(
  name: string,
  version: string,
  requirements: readonly string[],
): Promise<string> {
  const venv = path.join(peerFolder, name)
  const python = path.join(venv, 'bin', 'python')
  await installOnce(name, version, async () => {
    if (!existsSync(python)) await run('python3', ['-m', 'venv', venv], pythonHint)
    await run(python, ['-m', 'pip', 'install', '--quiet', ...requirements], 'see what pip says above')
  })
  return python
}

/**
 * PyIceberg with pyarrow. Returns the interpreter that has them.
 * Pinned throughout: with loose pins pip walks back for minutes and settles on an older release.
 */
export function installPyIceberg(): Promise<string> {
  return installVenv('pyiceberg', '0.12.0', [
    'pyiceberg[sql-sqlite,pyarrow]==0.12.0',
    'pyiceberg-core==0.10.1',
    'pyarrow==25.0.1',
  ])
}

/** The same interpreter with boto3, which PyIceberg's Glue catalog needs. */
export async function installPyIcebergGlue(): Promise<string> {
  await installPyIceberg()
  return installVenv('pyiceberg', '0.12.0-glue', ['boto3==1.43.117'])
}

/** PyIceberg with fsspec's S3, the one that can have its requests signed by a catalog. Returns its interpreter. */
export function installPyIcebergS3fs(): Promise<string> {
  return installVenv('pyiceberg-s3fs', '0.12.0', [
    'pyiceberg[pyarrow,s3fs]==0.12.0',
    'pyiceberg-core==0.10.1',
    'pyarrow==25.0.1',
    'boto3==1.43.117',
    'aiobotocore==3.10.0',
    's3fs==2026.9.0',
  ])
}

/** DuckDB for Python with the extensions that its npm build lacks. Returns the interpreter that has them. */
export function installDuckDb(): Promise<string> {
  const extensions = ['avro', 'httpfs', 'iceberg', 'postgres-scanner', 'tpch']
  return installVenv('duckdb', '1.5.5', [
    'duckdb==1.5.5',
    'duckdb-extensions==1.5.5',
    ...extensions.map((name) => `duckdb-extension-${name}==1.5.5`),
  ])
}

/**
 * Files of DuckDB extensions, signed ones, which any engine of this version loads.
 * @returns their paths, in the order of `names`
 */
export async function installDuckDbExtensions(names: readonly string[]): Promise<readonly string[]> {
  const python = await installDuckDb()
  const code = `import importlib.util, glob, sys
for name in sys.argv[1:]:
    folder = importlib.util.find_spec(f"duckdb_extension_{name}").submodule_search_locations[0]
    print(glob.glob(f"{folder}/extensions/*/{name}.duckdb_extension")[0])`
  const found = execFileSync(python, ['-c', code, ...names], { encoding: 'utf8' })
  return found.trim().split('\n')
}

/** The TPC-H generator. Returns its command. */
export async function installTpchGenerator(): Promise<string> {
  const python = await installVenv('tpchgen', '4.0.0', ['tpchgen-cli==4.0.0'])
  return path.join(path.dirname(python), 'tpchgen-cli')
}

/** Schemathesis, which makes requests from an OpenAPI document. Returns its command. */
export async function installSchemathesis(): Promise<string> {
  const python = await installVenv('schemathesis', '4.32.5', [
    'schemathesis==4.32.5',
    'hypothesis==6.170.15',
    'jsonschema_rs==0.60.3',
  ])
  return path.join(path.dirname(python), 'schemathesis')
}
