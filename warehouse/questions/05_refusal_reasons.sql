-- Why is information refused? Each reason's share of all refusals a year, today's way of counting only.
SELECT year, reason, label_en, sum(refused) AS refused,
    sum(refused)::DOUBLE / nullif(sum(sum(refused)) OVER (PARTITION BY year), 0)::DOUBLE AS share
FROM refusal_reasons
WHERE series = 'today' AND refused_in_all IS NOT NULL
GROUP BY year, reason, label_en
ORDER BY year, refused DESC, reason
