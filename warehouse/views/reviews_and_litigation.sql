-- Reviews and lawsuits by how they ended. The two kinds of lawsuits add up to litigation: never sum all stages.
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form, 'review' AS stage,
    review_upheld AS upheld, review_corrected AS corrected, review_other AS other_result,
    review_pending AS pending, review_total AS total
FROM agency_year
UNION ALL
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form, 'litigation',
    litigation_upheld, litigation_corrected, litigation_other, litigation_pending, litigation_total
FROM agency_year
UNION ALL
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form, 'litigation_direct',
    litigation_direct_upheld, litigation_direct_corrected, litigation_direct_other, litigation_direct_pending,
    litigation_direct_total
FROM agency_year
UNION ALL
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form,
    'litigation_after_review',
    litigation_after_review_upheld, litigation_after_review_corrected, litigation_after_review_other,
    litigation_after_review_pending, litigation_after_review_total
FROM agency_year
