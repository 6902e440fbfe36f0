import type { Type } from '@floe/iceberg'
import type { ColumnDescription, TableDescription } from '../table-directory.ts'

type ColumnText = readonly [definition: string, doc?: string]

const types: Readonly<Record<string, Type>> = {
  boolean: { kind: 'boolean' },
  date: { kind: 'date' },
  decimal: { kind: 'decimal', precision: 10, scale: 2 },
  int: { kind: 'int' },
  long: { kind: 'long' },
  string: { kind: 'string' },
  strings: { kind: 'list', elementId: 100, element: { kind: 'string' }, elementRequired: true },
  timestamp: { kind: 'timestamp' },
  timestamptz: { kind: 'timestamptz' },
}

/** `name type` or `name type?` for a column that may be null. */
function column([definition, doc]: ColumnText): ColumnDescription {
  const [name = '', typeText = ''] = definition.split(' ')
  const type = types[typeText.replace('?', '')]
  if (type === undefined) throw new TypeError(`no such type: ${typeText}`)
  return { name, type, required: !typeText.endsWith('?'), ...(doc === undefined ? {} : { doc }) }
}

function table(
  name: string,
  rowCount: number,
  snapshotId: bigint,
  columns: readonly ColumnText[],
): TableDescription {
  return { name, rowCount, snapshotId, columns: columns.map(column) }
}

export const flightTables: readonly TableDescription[] = [
  table('demo.flights', 8, 9007199254740993n, [
    ['id long'],
    ['date timestamp', 'Scheduled departure'],
    ['origin string', 'Origin airport code'],
    ['destination string', 'Destination airport code'],
    ['carrier string', 'Airline code'],
    ['distance int', 'Distance in miles'],
    ['delay int?', 'Arrival delay in minutes'],
    ['cancelled boolean'],
  ]),
]

export const flightSetup = `
CREATE SCHEMA demo;
CREATE TABLE demo.flights (id BIGINT, date TIMESTAMP, origin VARCHAR, destination VARCHAR, carrier VARCHAR, distance INTEGER, delay INTEGER, cancelled BOOLEAN);
INSERT INTO demo.flights VALUES
 (1, '2023-12-30 08:00:00', 'SFO', 'LAX', 'AA', 337, 10, false),
 (2, '2024-01-01 09:00:00', 'SFO', 'JFK', 'AA', 2586, 70, false),
 (3, '2024-01-15 10:30:00', 'SFO', 'SEA', 'UA', 679, 0, false),
 (4, '2024-02-03 12:00:00', 'LAX', 'SFO', 'UA', 337, 95, false),
 (5, '2024-02-10 18:00:00', 'LAX', 'JFK', 'DL', 2475, NULL, true),
 (6, '2024-02-29 23:00:00', 'JFK', 'LAX', 'DL', 2475, 20, false),
 (7, '2024-03-05 07:15:00', 'SEA', 'SFO', 'AA', 679, 5, false),
 (8, '2025-01-01 00:00:00', 'SFO', 'LAX', 'UA', 337, 30, false);`

export const socialTables: readonly TableDescription[] = [
  table('social.users', 4, 21n, [
    ['id long'],
    ['username string'],
    ['country string?', 'Country of residence'],
    ['email string?'],
    ['age int?'],
    ['is_verified boolean'],
    ['created_at timestamptz'],
    ['last_seen_at timestamptz?'],
  ]),
  table('social.posts', 6, 22n, [
    ['id long'],
    ['user_id long', 'Author of the post'],
    ['title string'],
    ['status string'],
    ['tags strings'],
    ['like_count int'],
    ['view_count int'],
    ['created_at timestamptz'],
  ]),
  table('social.follows', 3, 23n, [
    ['follower_id long', 'The user who follows'],
    ['followee_id long', 'The user who is followed'],
    ['created_at timestamptz'],
  ]),
  table('social.likes', 4, 24n, [['user_id long'], ['post_id long'], ['created_at timestamptz']]),
]

export const socialSetup = `
CREATE SCHEMA social;
CREATE TABLE social.users (id BIGINT, username VARCHAR, country VARCHAR, email VARCHAR, age INTEGER, is_verified BOOLEAN, created_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ);
INSERT INTO social.users VALUES
 (1, 'ada', 'France', 'ada@example.org', 36, true, '2022-03-01 10:00:00+00', '2024-05-01 10:00:00+00'),
 (2, 'bob', 'New Zealand', NULL, 25, false, '2023-01-31 23:59:00+00', NULL),
 (3, 'cleo', 'France', 'cleo@example.org', 51, true, '2023-02-01 00:00:00+00', '2024-04-01 10:00:00+00'),
 (4, 'dan', NULL, NULL, NULL, false, '2024-01-10 10:00:00+00', NULL);
CREATE TABLE social.posts (id BIGINT, user_id BIGINT, title VARCHAR, status VARCHAR, tags VARCHAR[], like_count INTEGER, view_count INTEGER, created_at TIMESTAMPTZ);
INSERT INTO social.posts VALUES
 (1, 1, 'Hello lake', 'published', ['intro', 'data'], 10, 100, '2024-01-01 08:00:00+00'),
 (2, 1, 'On snapshots', 'published', ['data'], 150, 900, '2024-01-01 20:00:00+00'),
 (3, 2, 'Sheep', 'draft', [], 0, 3, '2024-01-02 08:00:00+00'),
 (4, 3, 'Bonjour', 'published', ['intro'], 30, 200, '2024-02-11 08:00:00+00'),
 (5, 3, 'Manifest lists', 'archived', ['data', 'iceberg'], 5, 80, '2023-11-05 08:00:00+00'),
 (6, 1, 'It''s late', 'draft', [], 0, 1, '2024-03-01 23:30:00+00');
CREATE TABLE social.follows (follower_id BIGINT, followee_id BIGINT, created_at TIMESTAMPTZ);
INSERT INTO social.follows VALUES (2, 1, '2024-01-01 00:00:00+00'), (3, 1, '2024-01-02 00:00:00+00'), (1, 3, '2024-02-01 00:00:00+00');
CREATE TABLE social.likes (user_id BIGINT, post_id BIGINT, created_at TIMESTAMPTZ);
INSERT INTO social.likes VALUES (1, 4, '2024-02-12 00:00:00+00'), (2, 2, '2024-01-02 00:00:00+00'), (3, 2, '2024-01-03 00:00:00+00'), (3, 1, '2024-01-05 00:00:00+00');`

export const orderTables: readonly TableDescription[] = [
  table('shop.customers', 3, 31n, [['id long'], ['name string'], ['city string']]),
  table('shop.products', 3, 32n, [['id long'], ['name string'], ['category string'], ['price decimal']]),
  table('shop.orders', 5, 33n, [
    ['id long'],
    ['customer_id long'],
    ['product_id long'],
    ['status string'],
    ['quantity int'],
    ['total decimal', 'Amount paid'],
    ['net_weight int'],
    ['gross_weight int'],
    ['ordered_at timestamp'],
    ['shipped_at timestamp?'],
    ['billing_city string'],
    ['shipping_city string'],
  ]),
  table('shop.deliveries', 2, 34n, [
    ['order_id long'],
    ['planned_at timestamp'],
    ['dispatched_at timestamp'],
  ]),
]

export const orderSetup = `
CREATE SCHEMA shop;
CREATE TABLE shop.customers (id BIGINT, name VARCHAR, city VARCHAR);
INSERT INTO shop.customers VALUES (1, 'Ines', 'Lisbon'), (2, 'Jo', 'Oslo'), (3, 'Kim', 'Lisbon');
CREATE TABLE shop.products (id BIGINT, name VARCHAR, category VARCHAR, price DECIMAL(10, 2));
INSERT INTO shop.products VALUES (1, 'Lamp', 'home', 40.00), (2, 'Desk', 'home', 250.00), (3, 'Pen', 'office', 2.50);
CREATE TABLE shop.orders (id BIGINT, customer_id BIGINT, product_id BIGINT, status VARCHAR, quantity INTEGER, total DECIMAL(10, 2), net_weight INTEGER, gross_weight INTEGER, ordered_at TIMESTAMP, shipped_at TIMESTAMP, billing_city VARCHAR, shipping_city VARCHAR);
INSERT INTO shop.orders VALUES
 (1, 1, 1, 'paid', 2, 80.00, 3, 4, '2024-05-01 10:00:00', '2024-05-02 10:00:00', 'Lisbon', 'Lisbon'),
 (2, 1, 2, 'paid', 1, 250.00, 30, 34, '2024-05-03 10:00:00', NULL, 'Lisbon', 'Porto'),
 (3, 2, 3, 'refunded', 10, 25.00, 1, 2, '2024-06-01 10:00:00', '2024-06-03 10:00:00', 'Oslo', 'Oslo'),
 (4, 3, 3, 'open', 4, 10.00, 1, 1, '2024-06-20 10:00:00', NULL, 'Lisbon', 'Lisbon'),
 (5, 3, 1, 'paid', 1, 40.00, 2, 2, '2024-07-04 10:00:00', '2024-07-05 10:00:00', 'Lisbon', 'Oslo');
CREATE TABLE shop.deliveries (order_id BIGINT, planned_at TIMESTAMP, dispatched_at TIMESTAMP);
INSERT INTO shop.deliveries VALUES (1, '2024-05-02 00:00:00', '2024-05-02 10:00:00'), (3, '2024-06-02 00:00:00', '2024-06-03 10:00:00');`
