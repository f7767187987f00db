-- Can I believe it? How often each check passes, fails or cannot be made, by year.
SELECT year, check_id, count(*) AS checks, count(*) FILTER (status = 'pass') AS passed,
    count(*) FILTER (status = 'fail') AS failed, count(*) FILTER (status = 'uncertain') AS uncertain,
    count(*) FILTER (status = 'not_assessable') AS not_assessable
FROM findings
GROUP BY year, check_id
ORDER BY year, check_id
