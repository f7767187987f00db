-- What changed? Agencies whose newly received requests rose most from the year before to the newest year.
SELECT agency_name, year, value_before, value, change, change_percent
FROM trends
WHERE measure = 'requests_received' AND year = (SELECT max(year) FROM agency_year) AND change IS NOT NULL
ORDER BY change DESC, agency_id
LIMIT 20
