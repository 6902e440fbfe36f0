import { hashed } from './hashed-value.ts'

const words =
  `the of and to in a is that for it as was with be by on not he this are or his from at which but have an had they
you were their one all we can her has there been if more when will would who so no she other its may these what them than some
time into only could new then two first any such now like my people our over must made years where after also many before year
world still life day part way number water place work great thought room same right think house long order course general given
public small market company price customer letter country history service report system program problem development energy
history morning office garden window winter summer mountain river station journey evening weather language question answer
children school teacher student science medicine hospital doctor nurse patient engine machine factory worker product quality
delivery package invoice payment account balance interest credit support ticket agent region contract warehouse shipment driver
quickly slowly carefully probably certainly perhaps almost nearly always never often sometimes already together however therefore
between against during without within among across behind beyond toward through under above around along until since because
blue green yellow silver golden heavy light narrow broad ancient modern simple complex gentle careful honest quiet early late
build carry offer reach return remember receive consider follow continue describe discover develop explain improve increase
measure notice observe prepare produce protect provide reduce remain replace require select separate suggest support travel`
    .split(/\s+/)
    .filter((word) => word !== '')

const firstNames =
  'Anna Ben Clara David Emma Felix Grace Henry Irene Jonas Karin Leo Maria Nils Olga Paul Rosa Simon Thea Victor'
const lastNames =
  'Adler Brandt Castro Dupont Evans Fischer Garcia Hansen Ivanov Jensen Keller Lopez Meyer Novak Olsen Petit Rossi Silva Tanaka Weber'
const languages = 'en de fr es it pt nl sv pl ja'

/** Few enough to make fast, and so many that a page of a text holds hardly one twice. */
const phrasesMax = 300_000
const phraseWords = 5

/** Text as people write it: words by how often they come, joined from phrases, so that the server makes a million rows in seconds. */
export function textStatements(table: string, rows: number): readonly string[] {
  const phrases = Math.min(phrasesMax, 10 * rows)
  return [
    // The joins keep their tables in memory.
    `SET work_mem = '64MB'`,
    `CREATE TEMPORARY TABLE word AS SELECT at - 1 AS at, word FROM unnest('{${words.join(',')}}'::text[]) WITH ORDINALITY AS w(word, at)`,
    `CREATE TEMPORARY TABLE phrase AS SELECT i AS at, concat_ws(' ', ${list(phraseWords, (n) => `w${n}.word`)})
     AS phrase FROM generate_series(0::bigint, ${phrases - 1}) AS i ${joins(phraseWords, wordJoin)}`,
    'ANALYZE word',
    'ANALYZE phrase',
    `CREATE TABLE ${table} AS SELECT ${columns.join(', ')}
     FROM generate_series(1::bigint, ${rows}) AS i ${joins(phrasesJoined, (n) => phraseJoin(n, phrases))} ORDER BY i`,
    'DROP TABLE word, phrase',
  ]
}

/** The square makes the first words of the list come most often. */
function wordJoin(n: number): string {
  const share = `(${hashed('i', 3000 + n, 1_000_000)} / 1000000.0::double precision)`
  return `JOIN word w${n} ON w${n}.at = floor(${words.length} * ${share} ^ 2)::bigint`
}

const phrasesJoined = 10

function phraseJoin(n: number, phrases: number): string {
  return `JOIN phrase p${n} ON p${n}.at = ${hashed('i', 4000 + n, phrases)}`
}

function list(count: number, item: (n: number) => string): string {
  return Array.from({ length: count }, (_, index) => item(index + 1)).join(', ')
}

function joins(count: number, item: (n: number) => string): string {
  return Array.from({ length: count }, (_, index) => item(index + 1)).join('\n')
}

/** One of the words of a short list. */
function oneOf(listed: string, seed: number): string {
  const items = listed.split(' ')
  return `('{${items.join(',')}}'::text[])[1 + ${hashed('i', seed, items.length)}]`
}

const firstName = oneOf(firstNames, 5001)
const lastName = oneOf(lastNames, 5002)

const columns: readonly string[] = [
  'i AS id',
  `timestamptz '2024-01-01 00:00:00Z' + i * interval '13 seconds' AS created_at`,
  `initcap(p1.phrase) AS title`,
  `concat_ws(' ', p2.phrase, p3.phrase) AS summary`,
  // From one phrase to all of them: bodies of different lengths.
  `concat_ws(' ', p4.phrase, p5.phrase || '.', p6.phrase, p7.phrase || '.', CASE WHEN i % 3 > 0 THEN p8.phrase END,
     CASE WHEN i % 2 > 0 THEN p9.phrase || '.' END, CASE WHEN i % 5 > 2 THEN p10.phrase || ' ' || p2.phrase END) AS body`,
  `${firstName} || ' ' || ${lastName} AS author`,
  `lower(${firstName} || '.' || ${lastName}) || ${hashed('i', 5003, 50_000)} || '@example.org' AS email`,
  `'https://example.org/' || replace(p1.phrase, ' ', '-') || '/' || i AS url`,
  `${oneOf(languages, 5004)} AS language`,
  `CASE WHEN ${hashed('i', 5005, 10)} < 3 THEN p3.phrase END AS note`,
  `CASE ${hashed('i', 5006, 4)} WHEN 0 THEN 'draft' WHEN 1 THEN 'archived' ELSE 'published' END AS status`,
]
