-- Who asks? Requests received by kind of applicant and year.
SELECT year, applicant, sum(requests_received) AS requests_received, sum(requests_granted) AS requests_granted
FROM request_outcomes
WHERE NOT is_total
GROUP BY year, applicant
ORDER BY year, requests_received DESC, applicant
