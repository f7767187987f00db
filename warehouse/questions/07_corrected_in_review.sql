-- Who is corrected most often by reviews and courts? Cases decided in the newest year.
SELECT agency_name, stage, corrected, upheld, other_result, corrected::DOUBLE / (upheld + corrected + other_result)::DOUBLE
    AS share_corrected
FROM reviews_and_litigation
WHERE stage IN ('review', 'litigation') AND year = (SELECT max(year) FROM agency_year)
    AND upheld + corrected + other_result >= 10
ORDER BY share_corrected DESC, corrected DESC, agency_id, stage
LIMIT 20
