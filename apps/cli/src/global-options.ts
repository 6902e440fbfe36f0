import { defaultWorkers, Lakehouse, readSettings } from '@floe/lakehouse'
import type { SettingFlags } from '@floe/lakehouse'
import { Option } from 'commander'
import type { Command } from 'commander'
import { outputFormats } from './output.ts'
import type { OutputFormat } from './output.ts'

export type GlobalFlags = {
  readonly catalog?: string
  readonly warehouse?: string
  readonly token?: string
}

/** The lakehouse of a command: its flags, then the environment, `.env`, `floe.config.yaml`, the embedded default. */
export function openLakehouse(flags: SettingFlags): Lakehouse {
  return new Lakehouse(readSettings(flags, process.env, process.cwd(), defaultWorkers()))
}

export function outputOption(formats: readonly OutputFormat[] = outputFormats): Option {
  return new Option('--output <format>', 'how results are printed').choices([...formats]).default('table')
}

/** Flags of a command together with those of the program, which may stand before or after the command's name. */
// oxlint-disable-next-line no-unnecessary-type-parameters -- commander types flags so: each command says which ones it declared
export function allFlags<T extends object>(command: Command): T & GlobalFlags {
  return command.optsWithGlobals<T & GlobalFlags>()
}

export function settingFlags({ catalog, warehouse, token }: GlobalFlags): SettingFlags {
  return { catalog, warehouse, token }
}
