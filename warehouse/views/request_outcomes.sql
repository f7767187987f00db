-- How requests ended, one row a report and kind of applicant. The 2014 form prints totals only.
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form,
    'total' AS applicant, true AS is_total,
    requests_received, requests_carried_in, requests_handled, requests_granted, requests_partly_granted,
    requests_refused, requests_not_provided, requests_not_processed, requests_other, requests_carried_out
FROM agency_year
UNION ALL
SELECT a.agency_id, a.agency_name, a.region_code, a.level, a.kind, a.function, a.year, a.report_id, a.form,
    r.applicant::VARCHAR, false,
    r.new, r.carried_in, r.handled, r.granted, r.partly_granted,
    r.refused_state_secret + r.refused_other_law + r.refused_security_stability + r.refused_third_party
        + r.refused_internal_affairs + r.refused_process + r.refused_enforcement_file
        + r.refused_administrative_query,
    r.not_provided_not_held + r.not_provided_needs_creation + r.not_provided_still_unclear,
    r.not_processed_complaint + r.not_processed_repeat + r.not_processed_publication + r.not_processed_excessive
        + r.not_processed_confirm_or_reissue,
    coalesce(r.other, r.other_correction_overdue + r.other_fee_overdue + r.other_remaining),
    r.carried_out
FROM requests_by_applicant r JOIN agency_year a USING (report_id)
WHERE r.applicant <> 'total'
