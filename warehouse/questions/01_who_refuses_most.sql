-- Who refuses most? The share of requests refused in the newest year, over at least 30 requests, with its interval.
SELECT agency_name, level, numerator AS refused, denominator AS handled, rate, low, high
FROM rates
WHERE measure = 'refused_rate' AND year = (SELECT max(year) FROM agency_year) AND rate IS NOT NULL AND NOT is_small_n
ORDER BY rate DESC, denominator DESC, agency_id
LIMIT 20
