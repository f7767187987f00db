-- One row a portal: when it was last looked at, what failed, and the reports it gave.
SELECT coalesce(p.portal_id, r.portal_id) AS portal_id, p.last_look, p.last_list_read, p.last_failure,
    p.last_failure_reason, p.pages, p.failed, p.refused, p.failing_now,
    r.reports, r.agencies, r.reports_read, r.reports_without_numbers, r.newest_year, r.last_new_report
FROM portal_activity p
FULL JOIN (
    SELECT portal_id, count(*) AS reports, count(DISTINCT agency_id) AS agencies,
        count(*) FILTER (status = 'read') AS reports_read,
        count(*) FILTER (status <> 'read') AS reports_without_numbers,
        max(year) AS newest_year, max(fetched_at) AS last_new_report
    FROM reports GROUP BY portal_id
) r ON r.portal_id = p.portal_id
