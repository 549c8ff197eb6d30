-- The bars of recordings, by the rules of decisions alone: written without a look at how
-- gateway/history makes them.  $files are the recordings, in order of time.
--
-- Result: code, minute (seconds since 1970), open, high, low, close, volume, partial.

WITH lines AS (
    SELECT row_number() OVER () AS n, *
    FROM read_json($files, format = 'newline_delimited', columns = {
        t: 'DOUBLE', e: 'JSON', "from": 'VARCHAR', gap: 'JSON', recording: 'JSON'
    })
), events AS (
    SELECT n, t, e ->> '$[0]' AS name, e -> '$[1]' AS value,
        recording IS NOT NULL OR gap IS NOT NULL OR e ->> '$[0]' = 'shioaji_ready'
        OR (e ->> '$[0]' = 'python_status' AND e ->> '$[1].status' = 'exited') AS is_cut
    FROM lines WHERE "from" IS NULL
), cuts AS (
    -- After each of these something may have been missed.
    SELECT n FROM events WHERE is_cut
), told AS (
    SELECT n, value ->> 'code' AS code, replace(value ->> 'datetime', '/', '-') AS told_at,
        CAST(coalesce(value ->> 'price', value ->> 'close') AS DOUBLE) AS price,
        CAST(value ->> 'volume' AS DOUBLE) AS volume,
        CAST(value ->> 'total_volume' AS DOUBLE) AS total
    FROM events
    WHERE name = 'market_tick' AND coalesce(value ->> 'simtrade', 'false') = 'false'
        AND coalesce(value ->> 'intraday_odd', 'false') = 'false'
), timed AS (
    -- A time without a zone is Taipei's.
    SELECT *, epoch(CAST(CASE WHEN told_at LIKE '%+08:00' THEN told_at ELSE told_at || '+08:00' END
        AS TIMESTAMPTZ)) AS time
    FROM told
), bars_told AS (
    -- The broker's bars: `ts` is the end of the minute, as Taipei's time written as if UTC.
    SELECT n, t, value ->> 'code' AS code,
        unnest(CAST(value -> 'ts' AS BIGINT[])) // 1000000000 - 8 * 3600 - 60 AS time,
        unnest(CAST(value -> 'Open' AS DOUBLE[])) AS open,
        unnest(CAST(value -> 'High' AS DOUBLE[])) AS high,
        unnest(CAST(value -> 'Low' AS DOUBLE[])) AS low,
        unnest(CAST(value -> 'Close' AS DOUBLE[])) AS close,
        unnest(CAST(value -> 'Volume' AS DOUBLE[])) AS volume
    FROM events WHERE name = 'market_kbars'
), aliases AS (
    SELECT value ->> 'code' AS code, value ->> 'target_code' AS target
    FROM events WHERE name = 'market_contract' GROUP BY ALL
), broker AS (
    -- A minute that was not over is no bar yet; of two the later one counts.
    SELECT coalesce(target, bars_told.code) AS code, time AS minute,
        arg_max(open, n) AS open, arg_max(high, n) AS high, arg_max(low, n) AS low,
        arg_max(close, n) AS close, arg_max(volume, n) AS volume
    FROM bars_told LEFT JOIN aliases USING (code)
    WHERE time + 60 <= t - 2
    GROUP BY ALL
), located AS (
    -- Of a market with a night, what comes from 14:30 to 05:30 is the night's.
    SELECT *, regexp_matches(code, '^[0-9]{4}') AS is_stock,
        CAST(to_timestamp(time) AT TIME ZONE 'Asia/Taipei' AS TIMESTAMP) AS clock
    FROM timed
), placed AS (
    SELECT *, CASE
        WHEN is_stock THEN clock::DATE + TIME '09:00'
        WHEN clock::TIME >= TIME '05:30' AND clock::TIME < TIME '14:30'
            THEN clock::DATE + TIME '08:45'
        WHEN clock::TIME >= TIME '14:30' THEN clock::DATE + TIME '15:00'
        ELSE clock::DATE - INTERVAL 9 HOUR
    END AS opens
    FROM located
), spans AS (
    SELECT *, opens + CASE
        WHEN is_stock THEN INTERVAL 270 MINUTE
        WHEN opens::TIME = TIME '15:00' THEN INTERVAL 14 HOUR
        ELSE INTERVAL 5 HOUR
    END AS closes
    FROM placed
), minutes AS (
    -- A tick in the last instant belongs to the last minute.
    SELECT *, epoch(date_trunc('minute', least(clock, closes - INTERVAL 1 SECOND)))
        - 8 * 3600 AS minute
    FROM spans
), summed AS (
    SELECT *, max(total) OVER (
        PARTITION BY code, opens ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS before
    FROM minutes
), trades AS (
    -- A tick that does not raise the total came late or twice.
    SELECT *, CASE WHEN total IS NULL OR before IS NULL THEN volume ELSE total - before END
        AS grown, (SELECT count(*) FROM cuts WHERE cuts.n < summed.n) AS cut
    FROM summed WHERE total IS NULL OR before IS NULL OR total > before
), firsts AS (
    -- The first trade after each cut: was one before it missed?  Then its minute is not whole.
    SELECT *, total IS NULL OR total - volume <> coalesce(before, 0) AS missed FROM trades
    QUALIFY row_number() OVER (PARTITION BY code, cut ORDER BY n) = 1
), begun AS (
    SELECT code, minute FROM firsts WHERE missed
), newest AS (
    -- The minute of the newest trade of all before each cut may lack its end.
    SELECT cuts.n, (SELECT floor(max(time) / 60) * 60 FROM trades WHERE trades.n < cuts.n) AS minute
    FROM cuts
), ended AS (
    SELECT DISTINCT trades.code, newest.minute FROM newest JOIN trades
    ON trades.n < newest.n AND trades.time >= newest.minute
), heard AS (
    SELECT code, minute, arg_min(price, n) AS open, max(price) AS high, min(price) AS low,
        arg_max(price, n) AS close, sum(grown) AS volume,
        (code, minute) IN (SELECT (code, minute) FROM begun)
        OR (code, minute) IN (SELECT (code, minute) FROM ended) AS partial
    FROM trades GROUP BY code, minute
)
-- What was heard whole wins over the broker's bar, and that over what was heard in part.
SELECT code, CAST(minute AS BIGINT) AS minute,
    unnest(CASE
        WHEN heard.code IS NOT NULL AND (NOT heard.partial OR broker.code IS NULL) THEN
            {'open': heard.open, 'high': heard.high, 'low': heard.low, 'close': heard.close,
                'volume': heard.volume, 'partial': heard.partial}
        ELSE {'open': broker.open, 'high': broker.high, 'low': broker.low,
            'close': broker.close, 'volume': broker.volume, 'partial': FALSE}
    END)
FROM heard FULL JOIN broker USING (code, minute)
ORDER BY code, minute
