-- How many requests do agencies of each level receive a year, and how many agencies print the number?
SELECT year, level, count(*) AS agencies, count(requests_received) AS agencies_with_number,
    sum(requests_received) AS requests_received
FROM agency_year
GROUP BY year, level
ORDER BY year, level
