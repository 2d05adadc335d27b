// Runs queries in DuckDB and ClickHouse, and writes their rows as JSON.
// usage: node parquet_readers.cjs FOLDER < {"duckdb": [SQL, ...], "clickhouse": [SQL, ...]}
// FOLDER has the folder node_modules with @duckdb/node-api and chdb.
const { createRequire } = require('module');
const load = createRequire(process.argv[2] + '/index.js');
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));

(async () => {
  const answers = { duckdb: [], clickhouse: [] };
  const { DuckDBInstance } = load('@duckdb/node-api');
  const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
  for (const query of asked.duckdb) {
    answers.duckdb.push((await duckdb.runAndReadAll(query)).getRowsJson());
  }
  const { query: clickhouse } = load('chdb');
  for (const query of asked.clickhouse) {
    // 64-bit integers in quotes, as DuckDB has them: a JSON number would be rounded here.
    const lines = clickhouse(query + ' SETTINGS output_format_json_quote_64bit_integers = 1', 'JSONCompactEachRow');
    answers.clickhouse.push(lines.split('\n').filter((line) => line).map((line) => JSON.parse(line)));
  }
  process.stdout.write(JSON.stringify(answers));
})();
