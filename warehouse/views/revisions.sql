-- Cells that differ between one version of an agency's report and the next one fetched.
WITH versions AS (
    SELECT report_id, agency_id, agency_name, year, source_url, fetched_at,
        lag(report_id) OVER following AS before_id, lag(source_url) OVER following AS before_url
    FROM reports
    WHERE status = 'read'
    WINDOW following AS (PARTITION BY agency_id, year ORDER BY fetched_at, report_id)
), compared AS (
    SELECT * FROM versions WHERE before_id IS NOT NULL
), after_cells AS (
    SELECT v.agency_id, v.agency_name, v.year, v.before_id, v.report_id, v.source_url, v.before_url, v.fetched_at,
        o.indicator, o.applicant, o.value, o.raw_text
    FROM compared v JOIN observation_versions o ON o.report_id = v.report_id
), before_cells AS (
    SELECT v.agency_id, v.agency_name, v.year, v.before_id, v.report_id, v.source_url, v.before_url, v.fetched_at,
        o.indicator, o.applicant, o.value, o.raw_text
    FROM compared v JOIN observation_versions o ON o.report_id = v.before_id
)
SELECT coalesce(a.agency_id, b.agency_id) AS agency_id, coalesce(a.agency_name, b.agency_name) AS agency_name,
    coalesce(a.year, b.year) AS year, coalesce(a.indicator, b.indicator) AS indicator,
    coalesce(a.applicant, b.applicant) AS applicant, b.value AS old, a.value AS new,
    b.raw_text AS old_text, a.raw_text AS new_text, coalesce(a.fetched_at, b.fetched_at) AS first_seen,
    coalesce(a.before_id, b.before_id) AS old_report_id, coalesce(a.report_id, b.report_id) AS new_report_id,
    coalesce(a.source_url = a.before_url, b.source_url = b.before_url) AS is_same_address
FROM after_cells a
FULL JOIN before_cells b ON a.report_id = b.report_id AND a.indicator = b.indicator
    AND a.applicant IS NOT DISTINCT FROM b.applicant
WHERE a.value IS DISTINCT FROM b.value OR (a.value IS NULL AND a.raw_text IS DISTINCT FROM b.raw_text)
    OR a.report_id IS NULL OR b.report_id IS NULL
