-- Where an agency stands among agencies of the same level, kind and function in the same year and way of counting.
-- Measures and rates; a rate over too few cases does not stand. No rank with fewer than ten peers.
WITH ranked AS (
    SELECT *, count(*) OVER alike - 1 AS peers, median(value) OVER alike AS median_value,
        rank() OVER (PARTITION BY measure, year, level, kind, function, series ORDER BY value DESC) AS place,
        percent_rank() OVER (PARTITION BY measure, year, level, kind, function, series ORDER BY value) AS below
    FROM comparable_values
    WHERE value IS NOT NULL AND level IS NOT NULL AND NOT is_small_n
    WINDOW alike AS (PARTITION BY measure, year, level, kind, function, series)
)
SELECT agency_id, agency_name, region_code, level, kind, function, year, measure, value, peers AS n_peers,
    CASE WHEN peers >= 10 THEN median_value END AS median,
    CASE WHEN peers >= 10 THEN 100 * below END AS percentile,
    CASE WHEN peers >= 10 THEN place END AS rank,
    CASE WHEN peers < 10 THEN 'fewer than ten peers' END AS reason
FROM ranked
