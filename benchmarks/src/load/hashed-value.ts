/** SQL of a number from 0 to below `count`, evenly spread, and the same each time for one row and seed. */
export function hashed(row: string, seed: number, count: number): string {
  return `((hashint8extended(${row}, ${seed}) & 9223372036854775807) % ${count})`
}
