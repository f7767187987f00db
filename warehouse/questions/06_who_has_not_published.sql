-- Who has not published, and is it them or us? Agencies by year, level and status.
SELECT year, level, who, status, count(*) AS agencies, max(days_late) AS days_late_at_most
FROM coverage
GROUP BY year, level, who, status
ORDER BY year, level, who, status
