import type { GoldenQuestion } from './golden-question.ts'

/** Answers over the flights tables, each with its SQL and its rows: cells by blanks, rows by bars, whole rows by their id. */
export const flightQuestions: readonly GoldenQuestion[] = [
  ['how many flights', 'SELECT count(*) AS "count" FROM "demo"."flights"', '8'],
  ['How many flights are there?', 'SELECT count(*) AS "count" FROM "demo"."flights"', '8'],
  [
    'number of flights from SFO',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "origin" = 'SFO'`,
    '4',
  ],
  [
    'how many flights from SFO to LAX',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "origin" = 'SFO' AND "destination" = 'LAX'`,
    '2',
  ],
  [
    'average delay by origin',
    'SELECT "origin", avg("delay") AS "average_delay" FROM "demo"."flights" GROUP BY ALL ORDER BY "average_delay" DESC NULLS LAST, "origin"',
    'LAX 95 | SFO 27.5 | JFK 20 | SEA 5',
  ],
  ['What is the average delay?', 'SELECT avg("delay") AS "average_delay" FROM "demo"."flights"', '32.8571'],
  [
    'total distance per carrier',
    'SELECT "carrier", sum("distance") AS "total_distance" FROM "demo"."flights" GROUP BY ALL ORDER BY "total_distance" DESC NULLS LAST, "carrier"',
    'DL 4950 | AA 3602 | UA 1353',
  ],
  [
    'flights per month',
    `SELECT CAST(date_trunc('month', "date") AS DATE) AS "month", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "month"`,
    '2023-12-01 1 | 2024-01-01 2 | 2024-02-01 3 | 2024-03-01 1 | 2025-01-01 1',
  ],
  [
    'flights per month in 2024',
    `SELECT CAST(date_trunc('month', "date") AS DATE) AS "month", count(*) AS "count" FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-01-01 00:00:00' AND "date" < TIMESTAMP '2025-01-01 00:00:00' GROUP BY ALL ORDER BY "month"`,
    '2024-01-01 2 | 2024-02-01 3 | 2024-03-01 1',
  ],
  [
    'top 2 origins by number of flights',
    'SELECT "origin", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "origin" LIMIT 2',
    'SFO 4 | LAX 2',
  ],
  [
    'which 3 origins have the most flights',
    'SELECT "origin", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "origin" LIMIT 3',
    'SFO 4 | LAX 2 | JFK 1',
  ],
  [
    'which carrier has the highest average delay',
    'SELECT "carrier", avg("delay") AS "average_delay" FROM "demo"."flights" GROUP BY ALL ORDER BY "average_delay" DESC NULLS LAST, "carrier" LIMIT 1',
    'UA 41.6667',
  ],
  [
    'longest flights',
    'SELECT * FROM "demo"."flights" ORDER BY "distance" DESC NULLS LAST LIMIT 10',
    '2 | 5 | 6 | 3 | 7 | 1 | 4 | 8',
  ],
  ['longest flight', 'SELECT * FROM "demo"."flights" ORDER BY "distance" DESC NULLS LAST LIMIT 1', '2'],
  [
    'top 3 longest flights',
    'SELECT * FROM "demo"."flights" ORDER BY "distance" DESC NULLS LAST LIMIT 3',
    '2 | 5 | 6',
  ],
  ['flights with delay over 60', 'SELECT * FROM "demo"."flights" WHERE "delay" > 60 LIMIT 100', '2 | 4'],
  [
    'how many flights with delay over 60 minutes',
    'SELECT count(*) AS "count" FROM "demo"."flights" WHERE "delay" > 60',
    '2',
  ],
  [
    'how many flights had a delay between 5 and 30',
    'SELECT count(*) AS "count" FROM "demo"."flights" WHERE "delay" BETWEEN 5 AND 30',
    '4',
  ],
  [
    'flights where origin is SFO and destination is LAX',
    `SELECT * FROM "demo"."flights" WHERE "origin" = 'SFO' AND "destination" = 'LAX' LIMIT 100`,
    '1 | 8',
  ],
  [
    'how many flights in 2024',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-01-01 00:00:00' AND "date" < TIMESTAMP '2025-01-01 00:00:00'`,
    '6',
  ],
  [
    'how many flights in February 2024',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-02-01 00:00:00' AND "date" < TIMESTAMP '2024-03-01 00:00:00'`,
    '3',
  ],
  [
    'how many flights in february',
    'SELECT count(*) AS "count" FROM "demo"."flights" WHERE month("date") = 2',
    '3',
  ],
  [
    'how many flights between January 2024 and February 2024',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-01-01 00:00:00' AND "date" < TIMESTAMP '2024-03-01 00:00:00'`,
    '5',
  ],
  [
    'flights since March 2024',
    `SELECT * FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-03-01 00:00:00' LIMIT 100`,
    '7 | 8',
  ],
  ['how many cancelled flights', 'SELECT count(*) AS "count" FROM "demo"."flights" WHERE "cancelled"', '1'],
  [
    'how many flights were not cancelled',
    'SELECT count(*) AS "count" FROM "demo"."flights" WHERE NOT "cancelled"',
    '7',
  ],
  [
    'how many flights per carrier were cancelled',
    'SELECT "carrier", count(*) AS "count" FROM "demo"."flights" WHERE "cancelled" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "carrier"',
    'DL 1',
  ],
  [
    'average delay of flights from sfo by destination',
    `SELECT "destination", avg("delay") AS "average_delay" FROM "demo"."flights" WHERE "origin" = 'SFO' GROUP BY ALL ORDER BY "average_delay" DESC NULLS LAST, "destination"`,
    'JFK 70 | LAX 20 | SEA 0',
  ],
  [
    'latest flights',
    'SELECT * FROM "demo"."flights" ORDER BY "date" DESC NULLS LAST LIMIT 10',
    '8 | 7 | 6 | 5 | 4 | 3 | 2 | 1',
  ],
  [
    '3 most recent flights',
    'SELECT * FROM "demo"."flights" ORDER BY "date" DESC NULLS LAST LIMIT 3',
    '8 | 7 | 6',
  ],
  [
    'how many different origins',
    'SELECT count(DISTINCT "origin") AS "different_origin" FROM "demo"."flights"',
    '4',
  ],
  [
    'how many distinct destinations per carrier',
    'SELECT "carrier", count(DISTINCT "destination") AS "different_destination" FROM "demo"."flights" GROUP BY ALL ORDER BY "different_destination" DESC NULLS LAST, "carrier"',
    'AA 3 | UA 3 | DL 2',
  ],
  [
    'what are the distinct carriers',
    'SELECT DISTINCT "carrier" FROM "demo"."flights" ORDER BY "carrier"',
    'AA | DL | UA',
  ],
  [
    'which carriers are there',
    'SELECT DISTINCT "carrier" FROM "demo"."flights" ORDER BY "carrier"',
    'AA | DL | UA',
  ],
  ['max distance', 'SELECT max("distance") AS "max_distance" FROM "demo"."flights"', '2586'],
  ['what is the longest distance', 'SELECT max("distance") AS "max_distance" FROM "demo"."flights"', '2586'],
  [
    'minimum and maximum delay by carrier',
    'SELECT "carrier", min("delay") AS "min_delay", max("delay") AS "max_delay" FROM "demo"."flights" GROUP BY ALL ORDER BY "min_delay" DESC NULLS LAST, "carrier"',
    'DL 20 20 | AA 5 70 | UA 0 95',
  ],
  ['flights without delay', 'SELECT * FROM "demo"."flights" WHERE "delay" IS NULL LIMIT 100', '5'],
  [
    'how many flights are missing delay',
    'SELECT count(*) AS "count" FROM "demo"."flights" WHERE "delay" IS NULL',
    '1',
  ],
  [
    'how many flights did not depart from SFO',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "origin" <> 'SFO'`,
    '4',
  ],
  [
    'number of flights from SFO or LAX',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "origin" IN ('SFO', 'LAX')`,
    '6',
  ],
  [
    'number of flights not from SFO',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "origin" <> 'SFO'`,
    '4',
  ],
  [
    'top 3 carriers by total distance',
    'SELECT "carrier", sum("distance") AS "total_distance" FROM "demo"."flights" GROUP BY ALL ORDER BY "total_distance" DESC NULLS LAST, "carrier" LIMIT 3',
    'DL 4950 | AA 3602 | UA 1353',
  ],
  [
    'top 3 flights by distance',
    'SELECT * FROM "demo"."flights" ORDER BY "distance" DESC NULLS LAST LIMIT 3',
    '2 | 5 | 6',
  ],
  [
    'flights per day of week',
    'SELECT dayname("date") AS "weekday", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY min(isodow("date"))',
    'Monday 2 | Tuesday 1 | Wednesday 1 | Thursday 1 | Saturday 3',
  ],
  [
    'number of flights by origin and destination',
    'SELECT "origin", "destination", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "origin", "destination"',
    'SFO LAX 2 | JFK LAX 1 | LAX JFK 1 | LAX SFO 1 | SEA SFO 1 | SFO JFK 1 | SFO SEA 1',
  ],
  [
    'number of flights by carrier and month',
    `SELECT "carrier", CAST(date_trunc('month', "date") AS DATE) AS "month", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "carrier", "month"`,
    'AA 2023-12-01 1 | AA 2024-01-01 1 | AA 2024-03-01 1 | DL 2024-02-01 2 | UA 2024-01-01 1 | UA 2024-02-01 1 | UA 2025-01-01 1',
  ],
  [
    'monthly average delay',
    `SELECT CAST(date_trunc('month', "date") AS DATE) AS "month", avg("delay") AS "average_delay" FROM "demo"."flights" GROUP BY ALL ORDER BY "month"`,
    '2023-12-01 10 | 2024-01-01 35 | 2024-02-01 57.5 | 2024-03-01 5 | 2025-01-01 30',
  ],
  [
    'most common origins',
    'SELECT "origin", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "origin" LIMIT 10',
    'SFO 4 | LAX 2 | JFK 1 | SEA 1',
  ],
  [
    'which destination is the most popular',
    'SELECT "destination", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "destination" LIMIT 1',
    'LAX 3',
  ],
  [
    'flights with the highest delay',
    'SELECT * FROM "demo"."flights" ORDER BY "delay" DESC NULLS LAST LIMIT 10',
    '4 | 2 | 8 | 6 | 1 | 7 | 3 | 5',
  ],
  [
    'which flight has the longest delay',
    'SELECT * FROM "demo"."flights" ORDER BY "delay" DESC NULLS LAST LIMIT 1',
    '4',
  ],
  [
    'bottom 2 carriers by average delay',
    'SELECT "carrier", avg("delay") AS "average_delay" FROM "demo"."flights" GROUP BY ALL ORDER BY "average_delay" ASC NULLS LAST, "carrier" LIMIT 2',
    'DL 20 | AA 28.3333',
  ],
  [
    'how many flights per year',
    'SELECT year("date") AS "year", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "year"',
    '2023 1 | 2024 6 | 2025 1',
  ],
  [
    'flights last year',
    `SELECT * FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2023-01-01 00:00:00' AND "date" < TIMESTAMP '2024-01-01 00:00:00' LIMIT 100`,
    '1',
  ],
  ['count flights', 'SELECT count(*) AS "count" FROM "demo"."flights"', '8'],
  [
    'total flights per carrier',
    'SELECT "carrier", count(*) AS "count" FROM "demo"."flights" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "carrier"',
    'AA 3 | UA 3 | DL 2',
  ],
  [
    'average delay by origin sorted by origin',
    'SELECT "origin", avg("delay") AS "average_delay" FROM "demo"."flights" GROUP BY ALL ORDER BY "origin" ASC NULLS LAST',
    'JFK 20 | LAX 95 | SEA 5 | SFO 27.5',
  ],
  [
    'how many flights does carrier AA have',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "carrier" = 'AA'`,
    '3',
  ],
  [
    'how many flights with carrier AA or UA',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "carrier" IN ('AA', 'UA')`,
    '6',
  ],
  [
    'average delay in Q1 2024',
    `SELECT avg("delay") AS "average_delay" FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-01-01 00:00:00' AND "date" < TIMESTAMP '2024-04-01 00:00:00'`,
    '38',
  ],
  ['first flight', 'SELECT * FROM "demo"."flights" ORDER BY "date" ASC NULLS LAST LIMIT 1', '1'],
  [
    'origin and destination of flights with delay over 60',
    'SELECT "origin", "destination" FROM "demo"."flights" WHERE "delay" > 60 LIMIT 100',
    'SFO JFK | LAX SFO',
  ],
  [
    'cancelled flights by carrier',
    'SELECT "carrier", count(*) AS "count" FROM "demo"."flights" WHERE "cancelled" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "carrier"',
    'DL 1',
  ],
  [
    'flights yesterday',
    `SELECT * FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-07-14 00:00:00' AND "date" < TIMESTAMP '2024-07-15 00:00:00' LIMIT 100`,
    '',
  ],
  [
    'how many flights not from SFO and not cancelled',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "origin" <> 'SFO' AND NOT "cancelled"`,
    '3',
  ],
  [
    'what is the average delay for flights from SFO in January 2024',
    `SELECT avg("delay") AS "average_delay" FROM "demo"."flights" WHERE "origin" = 'SFO' AND "date" >= TIMESTAMP '2024-01-01 00:00:00' AND "date" < TIMESTAMP '2024-02-01 00:00:00'`,
    '35',
  ],
  [
    'show flights delayed more than 60 minutes',
    'SELECT * FROM "demo"."flights" WHERE "delay" > 60 LIMIT 100',
    '2 | 4',
  ],
  [
    'how many flights were delayed by more than 60 minutes',
    'SELECT count(*) AS "count" FROM "demo"."flights" WHERE "delay" > 60',
    '2',
  ],
  [
    'flights from SFO to LAX with a delay greater than 20',
    `SELECT * FROM "demo"."flights" WHERE "origin" = 'SFO' AND "destination" = 'LAX' AND "delay" > 20 LIMIT 100`,
    '8',
  ],
  [
    'average distance of cancelled flights',
    'SELECT avg("distance") AS "average_distance" FROM "demo"."flights" WHERE "cancelled"',
    '2475',
  ],
  [
    'number of flights by month for carrier AA',
    `SELECT CAST(date_trunc('month', "date") AS DATE) AS "month", count(*) AS "count" FROM "demo"."flights" WHERE "carrier" = 'AA' GROUP BY ALL ORDER BY "month"`,
    '2023-12-01 1 | 2024-01-01 1 | 2024-03-01 1',
  ],
  [
    'how many flights are there in the flights table',
    'SELECT count(*) AS "count" FROM "demo"."flights"',
    '8',
  ],
  [
    'how many flights to JFK or SEA',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "destination" IN ('JFK', 'SEA')`,
    '3',
  ],
  [
    'flights not to SFO',
    `SELECT * FROM "demo"."flights" WHERE "destination" <> 'SFO' LIMIT 100`,
    '1 | 2 | 3 | 5 | 6 | 8',
  ],
  [
    'what is the total number of flights in 2024 per origin',
    `SELECT "origin", count(*) AS "count" FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-01-01 00:00:00' AND "date" < TIMESTAMP '2025-01-01 00:00:00' GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "origin"`,
    'LAX 2 | SFO 2 | JFK 1 | SEA 1',
  ],
  [
    'which origin has the lowest average delay',
    'SELECT "origin", avg("delay") AS "average_delay" FROM "demo"."flights" GROUP BY ALL ORDER BY "average_delay" ASC NULLS LAST, "origin" LIMIT 1',
    'SEA 5',
  ],
  ['list 5 flights', 'SELECT * FROM "demo"."flights" LIMIT 5', '1 | 2 | 3 | 4 | 5'],
  [
    'first 5 flights from SFO',
    `SELECT * FROM "demo"."flights" WHERE "origin" = 'SFO' ORDER BY "date" ASC NULLS LAST LIMIT 5`,
    '1 | 2 | 3 | 8',
  ],
  [
    'flights between 2024-01-01 and 2024-01-31',
    `SELECT * FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-01-01 00:00:00' AND "date" < TIMESTAMP '2024-02-01 00:00:00' LIMIT 100`,
    '2 | 3',
  ],
  [
    'number of flights on 2024-01-15',
    `SELECT count(*) AS "count" FROM "demo"."flights" WHERE "date" >= TIMESTAMP '2024-01-15 00:00:00' AND "date" < TIMESTAMP '2024-01-16 00:00:00'`,
    '1',
  ],
  [
    'average delay by carrier for flights over 500 miles',
    'SELECT "carrier", avg("delay") AS "average_delay" FROM "demo"."flights" WHERE "distance" > 500 GROUP BY ALL ORDER BY "average_delay" DESC NULLS LAST, "carrier"',
    'AA 37.5 | DL 20 | UA 0',
  ],
]
