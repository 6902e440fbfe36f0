import type { GoldenQuestion } from './golden-question.ts'

/** Answers over the orders tables, each with its SQL and its rows: cells by blanks, rows by bars, whole rows by their id. */
export const orderQuestions: readonly GoldenQuestion[] = [
  ['how many orders', 'SELECT count(*) AS "count" FROM "shop"."orders"', '5'],
  [
    'total revenue by month',
    `SELECT CAST(date_trunc('month', "ordered_at") AS DATE) AS "month", sum("total") AS "sum_total" FROM "shop"."orders" GROUP BY ALL ORDER BY "month"`,
    '2024-05-01 330 | 2024-06-01 35 | 2024-07-01 40',
  ],
  [
    'average total by customer',
    'SELECT "customer_id", avg("total") AS "average_total" FROM "shop"."orders" GROUP BY ALL ORDER BY "average_total" DESC NULLS LAST, "customer_id"',
    '1 165 | 2 25 | 3 25',
  ],
  [
    'average total by customer name',
    'SELECT "customer"."name" AS "customer_name", avg("orders"."total") AS "average_total" FROM "shop"."orders" AS "orders" JOIN "shop"."customers" AS "customer" ON "orders"."customer_id" = "customer"."id" GROUP BY ALL ORDER BY "average_total" DESC NULLS LAST, "customer_name"',
    'Ines 165 | Jo 25 | Kim 25',
  ],
  [
    'orders by category',
    'SELECT "product"."category" AS "product_category", count(*) AS "count" FROM "shop"."orders" AS "orders" JOIN "shop"."products" AS "product" ON "orders"."product_id" = "product"."id" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "product_category"',
    'home 3 | office 2',
  ],
  [
    'total quantity by product category',
    'SELECT "product"."category" AS "product_category", sum("orders"."quantity") AS "total_quantity" FROM "shop"."orders" AS "orders" JOIN "shop"."products" AS "product" ON "orders"."product_id" = "product"."id" GROUP BY ALL ORDER BY "total_quantity" DESC NULLS LAST, "product_category"',
    'office 14 | home 4',
  ],
  [
    'top 2 products by total quantity',
    'SELECT "product_id", sum("quantity") AS "total_quantity" FROM "shop"."orders" GROUP BY ALL ORDER BY "total_quantity" DESC NULLS LAST, "product_id" LIMIT 2',
    '3 14 | 1 3',
  ],
  [
    'top 2 customers by number of orders',
    'SELECT "customer_id", count(*) AS "count" FROM "shop"."orders" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "customer_id" LIMIT 2',
    '1 2 | 3 2',
  ],
  [
    'most expensive products',
    'SELECT * FROM "shop"."products" ORDER BY "price" DESC NULLS LAST LIMIT 10',
    '2 | 1 | 3',
  ],
  ['cheapest product', 'SELECT * FROM "shop"."products" ORDER BY "price" ASC NULLS LAST LIMIT 1', '3'],
  [
    'how many orders were shipped',
    'SELECT count(*) AS "count" FROM "shop"."orders" WHERE "shipped_at" IS NOT NULL',
    '3',
  ],
  ['orders not shipped', 'SELECT * FROM "shop"."orders" WHERE "shipped_at" IS NULL LIMIT 100', '2 | 4'],
  ['how many paid orders', `SELECT count(*) AS "count" FROM "shop"."orders" WHERE "status" = 'paid'`, '3'],
  [
    'how many orders in May 2024',
    `SELECT count(*) AS "count" FROM "shop"."orders" WHERE "ordered_at" >= TIMESTAMP '2024-05-01 00:00:00' AND "ordered_at" < TIMESTAMP '2024-06-01 00:00:00'`,
    '2',
  ],
  [
    'number of orders with total over 50',
    'SELECT count(*) AS "count" FROM "shop"."orders" WHERE "total" > 50',
    '2',
  ],
  [
    'orders with total between 20 and 100',
    'SELECT * FROM "shop"."orders" WHERE "total" BETWEEN 20 AND 100 LIMIT 100',
    '1 | 3 | 5',
  ],
  [
    'how many orders are not paid',
    `SELECT count(*) AS "count" FROM "shop"."orders" WHERE "status" <> 'paid'`,
    '2',
  ],
  ['average order total', 'SELECT avg("total") AS "average_total" FROM "shop"."orders"', '81'],
  ['highest total', 'SELECT max("total") AS "max_total" FROM "shop"."orders"', '250'],
  [
    'which customer city has the most orders',
    'SELECT "customer"."city" AS "customer_city", count(*) AS "count" FROM "shop"."orders" AS "orders" JOIN "shop"."customers" AS "customer" ON "orders"."customer_id" = "customer"."id" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "customer_city" LIMIT 1',
    'Lisbon 4',
  ],
  [
    'orders by shipping city',
    'SELECT "shipping_city", count(*) AS "count" FROM "shop"."orders" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "shipping_city"',
    'Lisbon 2 | Oslo 2 | Porto 1',
  ],
  [
    'orders per week',
    `SELECT CAST(date_trunc('week', "ordered_at") AS DATE) AS "week", count(*) AS "count" FROM "shop"."orders" GROUP BY ALL ORDER BY "week"`,
    '2024-04-29 2 | 2024-05-27 1 | 2024-06-17 1 | 2024-07-01 1',
  ],
  [
    'how many customers per city',
    'SELECT "city", count(*) AS "count" FROM "shop"."customers" GROUP BY ALL ORDER BY "count" DESC NULLS LAST, "city"',
    'Lisbon 2 | Oslo 1',
  ],
  [
    'average price per category',
    'SELECT "category", avg("price") AS "average_price" FROM "shop"."products" GROUP BY ALL ORDER BY "average_price" DESC NULLS LAST, "category"',
    'home 145 | office 2.5',
  ],
  ['orders with quantity of 10', 'SELECT * FROM "shop"."orders" WHERE "quantity" = 10 LIMIT 100', '3'],
  [
    'orders where status is in (paid, open)',
    `SELECT * FROM "shop"."orders" WHERE "status" IN ('paid', 'open') LIMIT 100`,
    '1 | 2 | 4 | 5',
  ],
  [
    'status of orders',
    'SELECT "status" FROM "shop"."orders" LIMIT 100',
    'paid | paid | refunded | open | paid',
  ],
  [
    'how many different products were ordered',
    'SELECT count(DISTINCT "product_id") AS "different_product_id" FROM "shop"."orders"',
    '3',
  ],
  ['names of customers', 'SELECT "name" FROM "shop"."customers" LIMIT 100', 'Ines | Jo | Kim'],
  ['orders cheaper than 30', 'SELECT * FROM "shop"."orders" WHERE "total" < 30 LIMIT 100', '3 | 4'],
  [
    `how many orders by 'Ines'`,
    `SELECT count(*) AS "count" FROM "shop"."orders" AS "orders" JOIN "shop"."customers" AS "customer" ON "orders"."customer_id" = "customer"."id" WHERE "customer"."name" = 'Ines'`,
    '2',
  ],
  [
    'orders of customer Ines',
    `SELECT "orders".* FROM "shop"."orders" AS "orders" JOIN "shop"."customers" AS "customer" ON "orders"."customer_id" = "customer"."id" WHERE "customer"."name" = 'Ines' LIMIT 100`,
    '1 | 2',
  ],
  [
    'show me the 3 orders with the highest total',
    'SELECT * FROM "shop"."orders" ORDER BY "total" DESC NULLS LAST LIMIT 3',
    '2 | 1 | 5',
  ],
  [
    'what was the total revenue in June 2024',
    `SELECT sum("total") AS "sum_total" FROM "shop"."orders" WHERE "ordered_at" >= TIMESTAMP '2024-06-01 00:00:00' AND "ordered_at" < TIMESTAMP '2024-07-01 00:00:00'`,
    '35',
  ],
  [
    'orders of customer Jo',
    `SELECT "orders".* FROM "shop"."orders" AS "orders" JOIN "shop"."customers" AS "customer" ON "orders"."customer_id" = "customer"."id" WHERE "customer"."name" = 'Jo' LIMIT 100`,
    '3',
  ],
  [
    'sum of total per status',
    'SELECT "status", sum("total") AS "sum_total" FROM "shop"."orders" GROUP BY ALL ORDER BY "sum_total" DESC NULLS LAST, "status"',
    'paid 370 | refunded 25 | open 10',
  ],
  [
    'average total per status',
    'SELECT "status", avg("total") AS "average_total" FROM "shop"."orders" GROUP BY ALL ORDER BY "average_total" DESC NULLS LAST, "status"',
    'paid 123.3333 | refunded 25 | open 10',
  ],
  [
    `orders with billing_city 'Lisbon'`,
    `SELECT * FROM "shop"."orders" WHERE "billing_city" = 'Lisbon' LIMIT 100`,
    '1 | 2 | 4 | 5',
  ],
]
