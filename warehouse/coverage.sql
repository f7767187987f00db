-- Every agency and year due: did the agency publish, and could we look? A year is due from the agency's first known
-- year to its last, once the deadline has passed when this file was built.
WITH built AS (
    SELECT CAST(value AS TIMESTAMP) AS built_at FROM build_info WHERE name = 'built_at'
), seen AS (
    SELECT agency_id, min(year) AS first_year, max(year) AS last_year, mode(portal_id) AS portal_id
    FROM reports GROUP BY agency_id
), bodies AS (
    SELECT a.agency_id, a.name AS agency_name, a.region_code, a.level, a.kind, a.function, s.portal_id,
        coalesce(a.valid_from, s.first_year) AS first_year, a.valid_to,
        CASE WHEN a.level IS NULL THEN NULL
            WHEN a.level = 'township' OR a.kind IN ('township', 'subdistrict') THEN 'township'
            WHEN a.kind = 'government' THEN 'government' ELSE 'department' END AS body
    FROM agencies a LEFT JOIN seen s USING (agency_id)
    WHERE coalesce(a.valid_from, s.first_year) IS NOT NULL
), due AS (
    SELECT b.*, y.year, make_date(y.year + 1, coalesce(d.month, 3), coalesce(d.day, 31)) AS due_on, d.basis
    FROM bodies b CROSS JOIN built
    CROSS JOIN LATERAL (
        SELECT unnest(range(b.first_year, least(coalesce(b.valid_to, year(built_at) - 1), year(built_at) - 1) + 1))
            AS year
    ) y
    LEFT JOIN deadlines d ON d.body = b.body AND y.year BETWEEN d.first_year AND coalesce(d.last_year, 9999)
), looked AS (
    -- A run looks for some years, or (year NULL) for all; only a run that looked for this year can miss its report.
    SELECT d.portal_id, d.year, max(l.looked_at) AS looked_for_at
    FROM (SELECT DISTINCT portal_id, year FROM due) d
    JOIN portal_looks l ON l.portal_id = d.portal_id AND coalesce(l.year = d.year, true)
    GROUP BY d.portal_id, d.year
), judged AS (
    SELECT d.*, r.report_id, r.status AS read_status, r.form, r.source_url,
        coalesce(first_seen.published_on, r.published_on) AS published_on,
        k.looked_for_at, p.failing_now, built_at
    FROM due d CROSS JOIN built
    LEFT JOIN reports r ON r.agency_id = d.agency_id AND r.year = d.year AND r.is_current
    LEFT JOIN (
        SELECT agency_id, year, min(published_on) AS published_on FROM reports GROUP BY agency_id, year
    ) first_seen ON first_seen.agency_id = d.agency_id AND first_seen.year = d.year
    LEFT JOIN portal_activity p ON p.portal_id = d.portal_id
    LEFT JOIN looked k ON k.portal_id = d.portal_id AND k.year = d.year
    WHERE d.due_on < built_at::DATE OR r.report_id IS NOT NULL
), told AS (
    SELECT *, CASE
        WHEN report_id IS NULL AND looked_for_at IS NULL THEN 'not_looked_for'
        WHEN report_id IS NULL AND looked_for_at::DATE <= due_on THEN 'not_looked_for'
        WHEN report_id IS NULL AND failing_now > 0 THEN 'fetch_failed'
        WHEN report_id IS NULL THEN 'not_found'
        WHEN read_status <> 'read' THEN read_status
        WHEN basis IS NULL OR basis <> 'law' THEN 'published_no_deadline'
        WHEN published_on IS NULL THEN 'published_date_unknown'
        WHEN published_on > due_on THEN 'late' ELSE 'published_on_time' END AS status
    FROM judged
)
SELECT agency_id, agency_name, region_code, level, kind, function, year, status,
    CASE WHEN status = 'not_found' THEN 'they did not'
        WHEN status IN ('fetch_failed', 'not_looked_for', 'unread') THEN 'we could not'
        WHEN status IN ('tables_as_images', 'attachment_only', 'no_tables') THEN 'they did, not as readable tables'
        ELSE 'they did' END AS who,
    published_on, CASE WHEN basis IS NOT NULL THEN due_on END AS due_on, basis AS deadline_basis,
    CASE WHEN status = 'late' OR (status NOT IN ('published_no_deadline') AND basis = 'law' AND published_on > due_on)
        THEN published_on - due_on END AS days_late,
    report_id, form, portal_id, source_url, looked_for_at
FROM told
