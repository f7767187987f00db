-- Where does each county government stand among its peers? Requests received in the newest year.
SELECT agency_name, value, n_peers, median, percentile, rank
FROM peers
WHERE measure = 'requests_received' AND year = (SELECT max(year) FROM agency_year) AND level = 'county'
    AND kind = 'government'
ORDER BY rank NULLS LAST, agency_name
LIMIT 50
