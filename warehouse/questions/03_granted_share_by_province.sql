-- Where is most granted? Requests granted in full of all handled, by province and year, for agencies that print both.
SELECT left(region_code, 2) AS province, year, sum(numerator) AS granted, sum(denominator) AS handled,
    sum(numerator)::DOUBLE / nullif(sum(denominator), 0)::DOUBLE AS share
FROM rates
WHERE measure = 'granted_rate' AND series = 'today' AND rate IS NOT NULL
GROUP BY province, year
ORDER BY province, year
