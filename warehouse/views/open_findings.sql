-- Findings somebody should look at: broken or doubtful, and not dismissed by a reviewer.
SELECT f.report_id, f.agency_id, r.agency_name, f.year, f.check_id, f.scope, f.formula, f.left_value, f.right_value,
    f.difference, f.status, f.likely_cause, f.verdict, f.cells, r.source_url
FROM findings f JOIN reports r USING (report_id)
WHERE f.status IN ('fail', 'uncertain') AND f.verdict IS DISTINCT FROM 'dismissed'
