import type { GoldenQuestion } from './golden-question.ts'

/** Answers over the social tables, each with its SQL and its rows: cells by blanks, rows by bars, whole rows by their id. */
export const socialQuestions: readonly GoldenQuestion[] = [
  ['how many users', 'SELECT count(*) AS "count" FROM "social"."users"', '4'],
  [
    'how many users are there per country',
    'SELECT "country", count(*) AS "count" FROM "social"."users" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "country"',
    'France 2 | New Zealand 1 | - 1',
  ],
  [
    'count of users per country',
    'SELECT "country", count(*) AS "count" FROM "social"."users" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "country"',
    'France 2 | New Zealand 1 | - 1',
  ],
  [
    'users by year of created_at',
    `SELECT year(("created_at" AT TIME ZONE 'UTC')) AS "year", count(*) AS "count" FROM "social"."users" GROUP BY ALL ORDER BY "year"`,
    '2022 1 | 2023 2 | 2024 1',
  ],
  [
    'users per year',
    `SELECT year(("created_at" AT TIME ZONE 'UTC')) AS "year", count(*) AS "count" FROM "social"."users" GROUP BY ALL ORDER BY "year"`,
    '2022 1 | 2023 2 | 2024 1',
  ],
  [
    'posts per day in 2024',
    `SELECT CAST(("created_at" AT TIME ZONE 'UTC') AS DATE) AS "day", count(*) AS "count" FROM "social"."posts" WHERE "created_at" >= TIMESTAMPTZ '2024-01-01 00:00:00+00' AND "created_at" < TIMESTAMPTZ '2025-01-01 00:00:00+00' GROUP BY ALL ORDER BY "day"`,
    '2024-01-01 2 | 2024-01-02 1 | 2024-02-11 1 | 2024-03-01 1',
  ],
  [
    'how many posts per user',
    'SELECT "user_id", count(*) AS "count" FROM "social"."posts" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_id"',
    '1 3 | 3 2 | 2 1',
  ],
  [
    'posts per user name',
    'SELECT "user"."username" AS "user_username", count(*) AS "count" FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_username"',
    'ada 3 | cleo 2 | bob 1',
  ],
  [
    'number of posts by username',
    'SELECT "user"."username" AS "user_username", count(*) AS "count" FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_username"',
    'ada 3 | cleo 2 | bob 1',
  ],
  [
    'posts per country',
    'SELECT "user"."country" AS "user_country", count(*) AS "count" FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_country"',
    'France 5 | New Zealand 1',
  ],
  [
    'top 2 users by number of posts',
    'SELECT "user_id", count(*) AS "count" FROM "social"."posts" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_id" LIMIT 2',
    '1 3 | 3 2',
  ],
  [
    'which users have the most posts',
    'SELECT "user_id", count(*) AS "count" FROM "social"."posts" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_id" LIMIT 10',
    '1 3 | 3 2 | 2 1',
  ],
  [
    'which user has the most posts',
    'SELECT "user_id", count(*) AS "count" FROM "social"."posts" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_id" LIMIT 1',
    '1 3',
  ],
  [
    'average age by country',
    'SELECT "country", avg("age") AS "average_age" FROM "social"."users" GROUP BY ALL ORDER BY "average_age" DESC NULLS LAST, "country"',
    'France 43.5 | New Zealand 25 | - -',
  ],
  ['how many verified users', 'SELECT count(*) AS "count" FROM "social"."users" WHERE "is_verified"', '2'],
  [
    'how many users are verified',
    'SELECT count(*) AS "count" FROM "social"."users" WHERE "is_verified"',
    '2',
  ],
  ['unverified users', 'SELECT * FROM "social"."users" WHERE NOT "is_verified" LIMIT 100', '2 | 4'],
  [
    'how many users are not verified',
    'SELECT count(*) AS "count" FROM "social"."users" WHERE NOT "is_verified"',
    '2',
  ],
  ['users without email', 'SELECT * FROM "social"."users" WHERE "email" IS NULL LIMIT 100', '2 | 4'],
  [
    'how many users have an email',
    'SELECT count(*) AS "count" FROM "social"."users" WHERE "email" IS NOT NULL',
    '2',
  ],
  [
    'how many users with no country',
    'SELECT count(*) AS "count" FROM "social"."users" WHERE "country" IS NULL',
    '1',
  ],
  ['users from France', `SELECT * FROM "social"."users" WHERE "country" = 'France' LIMIT 100`, '1 | 3'],
  ['users from france', `SELECT * FROM "social"."users" WHERE "country" = 'France' LIMIT 100`, '1 | 3'],
  ['users in New Zealand', `SELECT * FROM "social"."users" WHERE "country" = 'New Zealand' LIMIT 100`, '2'],
  [
    'how many users joined in 2023',
    `SELECT count(*) AS "count" FROM "social"."users" WHERE "created_at" >= TIMESTAMPTZ '2023-01-01 00:00:00+00' AND "created_at" < TIMESTAMPTZ '2024-01-01 00:00:00+00'`,
    '2',
  ],
  [
    'how many users were created before 2023',
    `SELECT count(*) AS "count" FROM "social"."users" WHERE "created_at" < TIMESTAMPTZ '2023-01-01 00:00:00+00'`,
    '1',
  ],
  [
    'users created since 2023',
    `SELECT * FROM "social"."users" WHERE "created_at" >= TIMESTAMPTZ '2023-01-01 00:00:00+00' LIMIT 100`,
    '2 | 3 | 4',
  ],
  [
    'average number of likes per post',
    'SELECT avg("like_count") AS "average_like_count" FROM "social"."posts"',
    '32.5',
  ],
  ['total likes', 'SELECT sum("like_count") AS "total_like_count" FROM "social"."posts"', '195'],
  [
    'average like count of posts',
    'SELECT avg("like_count") AS "average_like_count" FROM "social"."posts"',
    '32.5',
  ],
  [
    'posts with more than 100 likes',
    'SELECT * FROM "social"."posts" WHERE "like_count" > 100 LIMIT 100',
    '2',
  ],
  [
    'posts with more than 100 likes by users from France',
    `SELECT "posts"."user_id" AS "user_id", count(*) AS "count" FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" WHERE "posts"."like_count" > 100 AND "user"."country" = 'France' GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "user_id"`,
    '1 1',
  ],
  ['published posts', `SELECT * FROM "social"."posts" WHERE "status" = 'published' LIMIT 100`, '1 | 2 | 4'],
  [
    'how many published posts per month',
    `SELECT CAST(date_trunc('month', ("created_at" AT TIME ZONE 'UTC')) AS DATE) AS "month", count(*) AS "count" FROM "social"."posts" WHERE "status" = 'published' GROUP BY ALL ORDER BY "month"`,
    '2024-01-01 2 | 2024-02-01 1',
  ],
  [
    'posts tagged data',
    `SELECT * FROM "social"."posts" WHERE list_contains("tags", 'data') LIMIT 100`,
    '1 | 2 | 5',
  ],
  [
    'posts with tag data',
    `SELECT * FROM "social"."posts" WHERE list_contains("tags", 'data') LIMIT 100`,
    '1 | 2 | 5',
  ],
  [
    'posts where tags contain data',
    `SELECT * FROM "social"."posts" WHERE list_contains("tags", 'data') LIMIT 100`,
    '1 | 2 | 5',
  ],
  ['latest post', 'SELECT * FROM "social"."posts" ORDER BY "created_at" DESC NULLS LAST LIMIT 1', '6'],
  ['latest 2 posts', 'SELECT * FROM "social"."posts" ORDER BY "created_at" DESC NULLS LAST LIMIT 2', '6 | 4'],
  ['oldest user', 'SELECT * FROM "social"."users" ORDER BY "created_at" ASC NULLS LAST LIMIT 1', '1'],
  [
    'posts by ada',
    `SELECT "posts".* FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" WHERE "user"."username" = 'ada' LIMIT 100`,
    '1 | 2 | 6',
  ],
  [
    'posts from bob or cleo',
    `SELECT "posts".* FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" WHERE "user"."username" IN ('bob', 'cleo') LIMIT 100`,
    '3 | 4 | 5',
  ],
  [
    'how many posts with status draft',
    `SELECT count(*) AS "count" FROM "social"."posts" WHERE "status" = 'draft'`,
    '2',
  ],
  [
    'number of posts by status',
    'SELECT "status", count(*) AS "count" FROM "social"."posts" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "status"',
    'published 3 | draft 2 | archived 1',
  ],
  [
    'posts whose title contains late',
    `SELECT * FROM "social"."posts" WHERE contains(lower("title"), 'late') LIMIT 100`,
    '6',
  ],
  [
    'posts with title starting with "Hello"',
    `SELECT * FROM "social"."posts" WHERE starts_with(lower("title"), 'hello') LIMIT 100`,
    '1',
  ],
  [
    'which countries are there',
    'SELECT DISTINCT "country" FROM "social"."users" ORDER BY "country"',
    'France | New Zealand | -',
  ],
  ['median age of users', 'SELECT median("age") AS "median_age" FROM "social"."users"', '36'],
  ['users older than 30', 'SELECT * FROM "social"."users" WHERE "age" > 30 LIMIT 100', '1 | 3'],
  ['users with age at least 36', 'SELECT * FROM "social"."users" WHERE "age" >= 36 LIMIT 100', '1 | 3'],
  [
    'most liked posts',
    'SELECT * FROM "social"."posts" ORDER BY "like_count" DESC NULLS LAST LIMIT 10',
    '2 | 4 | 1 | 5 | 3 | 6',
  ],
  [
    'top 3 posts by likes',
    'SELECT * FROM "social"."posts" ORDER BY "like_count" DESC NULLS LAST LIMIT 3',
    '2 | 4 | 1',
  ],
  [
    'posts sorted by view count descending',
    'SELECT * FROM "social"."posts" ORDER BY "view_count" DESC NULLS LAST LIMIT 100',
    '2 | 4 | 1 | 5 | 3 | 6',
  ],
  [
    'username and email of users from France',
    `SELECT "username", "email" FROM "social"."users" WHERE "country" = 'France' LIMIT 100`,
    'ada ada@example.org | cleo cleo@example.org',
  ],
  [
    'likes per day',
    `SELECT CAST(("created_at" AT TIME ZONE 'UTC') AS DATE) AS "day", count(*) AS "count" FROM "social"."likes" GROUP BY ALL ORDER BY "day"`,
    '2024-01-02 1 | 2024-01-03 1 | 2024-01-05 1 | 2024-02-12 1',
  ],
  [
    'follows per month',
    `SELECT CAST(date_trunc('month', ("created_at" AT TIME ZONE 'UTC')) AS DATE) AS "month", count(*) AS "count" FROM "social"."follows" GROUP BY ALL ORDER BY "month"`,
    '2024-01-01 2 | 2024-02-01 1',
  ],
  [
    'how many posts last month',
    `SELECT count(*) AS "count" FROM "social"."posts" WHERE "created_at" >= TIMESTAMPTZ '2024-06-01 00:00:00+00' AND "created_at" < TIMESTAMPTZ '2024-07-01 00:00:00+00'`,
    '0',
  ],
  [
    'how many users in the last 30 days',
    `SELECT count(*) AS "count" FROM "social"."users" WHERE "created_at" >= TIMESTAMPTZ '2024-06-15 00:00:00+00' AND "created_at" < TIMESTAMPTZ '2024-07-16 00:00:00+00'`,
    '0',
  ],
  [
    'users who signed up in January 2024',
    `SELECT * FROM "social"."users" WHERE "created_at" >= TIMESTAMPTZ '2024-01-01 00:00:00+00' AND "created_at" < TIMESTAMPTZ '2024-02-01 00:00:00+00' LIMIT 100`,
    '4',
  ],
  [
    'how many posts did ada write',
    `SELECT count(*) AS "count" FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" WHERE "user"."username" = 'ada'`,
    '3',
  ],
  [
    'users seen since May 2024',
    `SELECT * FROM "social"."users" WHERE "last_seen_at" >= TIMESTAMPTZ '2024-05-01 00:00:00+00' LIMIT 100`,
    '1',
  ],
  [
    'posts by user ada',
    `SELECT "posts".* FROM "social"."posts" AS "posts" JOIN "social"."users" AS "user" ON "posts"."user_id" = "user"."id" WHERE "user"."username" = 'ada' LIMIT 100`,
    '1 | 2 | 6',
  ],
  [
    `how many followers does with follower username 'ada' have`,
    `SELECT count(DISTINCT "follows"."follower_id") AS "different_follower_id" FROM "social"."follows" AS "follows" JOIN "social"."users" AS "follower" ON "follows"."follower_id" = "follower"."id" WHERE "follower"."username" = 'ada'`,
    '1',
  ],
  [
    `number of likes with user username 'ada'`,
    `SELECT count(*) AS "count" FROM "social"."likes" AS "likes" JOIN "social"."users" AS "user" ON "likes"."user_id" = "user"."id" WHERE "user"."username" = 'ada'`,
    '1',
  ],
  [
    'likes from ada',
    `SELECT "likes".* FROM "social"."likes" AS "likes" JOIN "social"."users" AS "user" ON "likes"."user_id" = "user"."id" WHERE "user"."username" = 'ada' LIMIT 100`,
    '1',
  ],
  [
    'how many likes did ada get',
    `SELECT count(*) AS "count" FROM "social"."likes" AS "likes" JOIN "social"."users" AS "user" ON "likes"."user_id" = "user"."id" WHERE "user"."username" = 'ada'`,
    '1',
  ],
]
